"""Makes `gitreg/contents/allowed/*.txt` anew from the libraries that are installed, beside what is there already.

    python -m tests.contents.generate

Run it under each supported version of the libraries: pairs are only added. Classes are kept where their own
`__module__` and `__qualname__` are the pair that a pickle names; functions, and what is not installed, are listed by
hand below. The result is reviewed as code.
"""

from __future__ import annotations

import importlib
import pickle
import pickletools
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Pair = tuple[str, str]
ALLOWED = Path(__file__).resolve().parents[2] / "gitreg" / "contents" / "allowed"

BY_HAND: dict[str, str] = {
    "builtins": """
        builtins: bool bytearray bytes complex dict float frozenset int list object range set slice tuple
        __builtin__: bytearray bytes complex dict float frozenset int list long object set slice tuple xrange
        _codecs: encode
        collections: Counter OrderedDict defaultdict deque
        copy_reg: _reconstructor
        copyreg: _reconstructor
        datetime: date datetime time timedelta timezone
        decimal: Decimal
        fractions: Fraction
        uuid: UUID
        """,
    "numpy": """
        numpy: bool_ dtype float16 float32 float64 int16 int32 int64 int8 ndarray uint16 uint32 uint64 uint8
        numpy: bool complex128 complex64 datetime64 timedelta64 void longlong
        numpy.core.multiarray: _reconstruct scalar
        numpy._core.multiarray: _reconstruct scalar
        numpy.core.numeric: _frombuffer
        numpy._core.numeric: _frombuffer
        numpy.random._pickle: __bit_generator_ctor __generator_ctor __randomstate_ctor
        numpy.random._mt19937: MT19937
        numpy.random._pcg64: PCG64 PCG64DXSM
        numpy.random._philox: Philox
        numpy.random._sfc64: SFC64
        numpy.random.bit_generator: SeedSequence __pyx_unpickle_SeedSequence
        numpy: mean
        numpy.random._bit_generator: SeedSequence
        numpy.ma.core: MaskedArray _mareconstruct
        joblib.numpy_pickle: NumpyArrayWrapper
        """,
    "scipy": "",
    "sklearn": """
        sklearn._loss._loss: __pyx_unpickle_CyHalfMultinomialLoss
        sklearn.feature_selection._univariate_selection: chi2 f_classif f_regression r_regression
        sklearn.neighbors._kd_tree: newObj
        sklearn.neighbors._ball_tree: newObj
        sklearn.metrics._dist_metrics: newObj
        """,
    "xgboost": "",
    "lightgbm": "",
    "torch": """
        torch: Size device dtype
        torch: BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage
        torch: DoubleStorage FloatStorage HalfStorage IntStorage LongStorage ShortStorage
        torch: bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 uint8
        torch._utils: _rebuild_parameter _rebuild_parameter_with_state _rebuild_tensor _rebuild_tensor_v2
        torch._utils: _rebuild_sparse_tensor
        torch.nn.parameter: Parameter
        torch.storage: TypedStorage UntypedStorage _TypedStorage _UntypedStorage
        """,
}
"""By file: modules, and the names of each that are allowed without being found in a pickle."""

REFUSED = {
    ("numpy", "memmap"),  # opens the file that it is told
    ("functools", "partial"),
    ("numpy", "matrix"),  # parses a text as Python's literals
    ("numpy", "bytes_"),  # looks for the encoding that it is told, and imports it
}
"""What is never listed, whoever's pickle names it."""


def by_hand(text: str) -> Iterator[Pair]:
    for line in text.strip().splitlines():
        module, _, names = line.strip().partition(": ")
        for name in names.split():
            yield module, name


def named_in(data: bytes) -> Iterator[Pair]:
    """Yield the pairs that a pickle names, from its opcodes."""
    strings: list[str] = []
    memo: dict[object, str | None] = {}
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            yield module, name
        elif opcode.name == "STACK_GLOBAL":
            yield strings[-2], strings[-1]
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = strings[-1] if strings else None
        elif opcode.name in ("BINGET", "LONG_BINGET") and (text := memo.get(argument)) is not None:
            strings.append(text)
        elif isinstance(argument, str):
            strings.append(argument)


def is_own_class(pair: Pair) -> bool:
    """Whether a pair is a class that says so itself."""
    try:
        found = getattr(importlib.import_module(pair[0]), pair[1])
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type) and (found.__module__, found.__qualname__) == pair and "." not in pair[1]


def estimators() -> Iterator[Any]:
    """Yield every public estimator of scikit-learn: as it is made, and fitted where some simple data fit it."""
    import numpy as np
    from sklearn.utils import all_estimators

    random = np.random.RandomState(0)
    x = random.rand(60, 4)
    label, value = (x[:, 0] > 0.5).astype(int), x @ np.arange(4.0)
    both = np.c_[label, 1 - label]
    texts = ["a word", "two words", "more words"] * 20
    tries = [(x, label), (x, value), (x, both), (x[:, 0], value), (texts, label), (x,), (label,), ([{"a": 1.0}] * 60,)]
    for _, kind in all_estimators():
        for made in _constructed(kind):
            yield made
            for data in tries:
                try:
                    yield made.fit(*data)
                    break
                except Exception:  # other data, then
                    continue
    yield from _more(x, label, value)


def _constructed(kind: type) -> Iterator[Any]:
    from sklearn.linear_model import LogisticRegression, Ridge

    steps: list[tuple[str, Any]] = [("one", Ridge()), ("two", Ridge())]
    classifiers: list[tuple[str, Any]] = [("one", LogisticRegression()), ("two", LogisticRegression())]
    for arguments in (
        {},
        {"estimator": LogisticRegression()},
        {"estimator": Ridge()},
        {"estimators": steps},
        {"estimators": classifiers},
        {"steps": classifiers[:1]},
        {"transformers": [("one", "passthrough", [0])]},
        {"transformer_list": [("one", "passthrough")]},
        {"estimator": Ridge(), "param_grid": {"alpha": [1.0]}},
        {"estimator": Ridge(), "param_distributions": {"alpha": [1.0, 2.0]}, "n_iter": 1},
        {"n_components": 2},
        {"n_nonzero_coefs": 2, "dictionary": [[1.0, 0.0, 0.0, 0.0]]},
        {"base_estimator": LogisticRegression()},
    ):
        try:
            yield kind(**arguments)
        except Exception:  # it wants other arguments
            continue


def _more(x: Any, label: Any, value: Any) -> Iterator[Any]:
    from sklearn import ensemble, gaussian_process, linear_model, neighbors, pipeline, preprocessing, svm
    from sklearn.gaussian_process import kernels

    yield pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC(probability=False)).fit(x, label)
    for kernel in (
        kernels.RBF() + kernels.WhiteKernel(),
        kernels.ConstantKernel() * kernels.Matern(),
        kernels.RationalQuadratic() ** 2.0,
        kernels.ExpSineSquared(),
        kernels.DotProduct(),
        kernels.PairwiseKernel(),
        kernels.CompoundKernel([kernels.RBF()]),
    ):
        yield kernel
        yield gaussian_process.GaussianProcessRegressor(kernels.RBF()).fit(x, value)
    for metric in ("euclidean", "manhattan", "chebyshev", "minkowski"):
        for tree in ("kd_tree", "ball_tree", "brute"):
            yield neighbors.KNeighborsClassifier(metric=metric, algorithm=tree).fit(x, label)
    for loss in ("squared_error", "absolute_error", "poisson", "quantile", "gamma"):
        arguments = {"quantile": 0.5} if loss == "quantile" else {}
        yield ensemble.HistGradientBoostingRegressor(loss=loss, max_iter=2, **arguments).fit(x, value + 1)
    for loss in ("squared_error", "absolute_error", "huber", "quantile"):
        yield ensemble.GradientBoostingRegressor(loss=loss, n_estimators=2).fit(x, value)
    for criterion in ("squared_error", "absolute_error", "friedman_mse", "poisson"):
        yield ensemble.RandomForestRegressor(2, criterion=criterion).fit(x, value + 1)
    for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"):
        yield linear_model.SGDClassifier(loss=loss).fit(x, label)
    for loss in ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"):
        yield linear_model.SGDRegressor(loss=loss).fit(x, value)
    for strategy in (linear_model.PoissonRegressor(), linear_model.GammaRegressor(), linear_model.TweedieRegressor()):
        yield strategy.fit(x, value + 1)
    many = (x[:, 0] * 3).astype(int)
    yield ensemble.HistGradientBoostingClassifier(max_iter=2).fit(x, many)
    yield ensemble.GradientBoostingClassifier(n_estimators=2).fit(x, many)
    yield ensemble.GradientBoostingClassifier(n_estimators=2, loss="exponential").fit(x, label)


def sparse_arrays() -> Iterator[Any]:
    import scipy.interpolate
    import scipy.sparse

    for layout in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"):
        yield getattr(scipy.sparse, f"{layout}_matrix")([[1.0, 0.0]])
        yield getattr(scipy.sparse, f"{layout}_array")([[1.0, 0.0]])
    yield scipy.interpolate.interp1d([0.0, 1.0], [0.0, 1.0])
    yield scipy.interpolate.BSpline([0.0, 1.0, 2.0, 3.0], [1.0, 2.0], 1)


def arrays() -> Iterator[Any]:
    import numpy as np

    for kind in np.sctypeDict.values():
        try:
            yield np.zeros(2, kind)
            yield kind(1)
            yield np.dtype(kind)
        except (TypeError, ValueError):
            continue
    yield np.array(["a", 1], dtype=object)
    yield np.zeros(2, dtype=[("a", "f8"), ("b", "i4", (2,))])
    yield np.random.RandomState(0)
    yield np.random.default_rng(0)


def boosters(library: str) -> Iterator[Any]:
    import numpy as np

    x = np.random.RandomState(0).rand(60, 4)
    label = (x[:, 0] > 0.5).astype(int)
    if library == "xgboost":
        import xgboost

        yield xgboost.train({}, xgboost.DMatrix(x, label), 2)
        for kind in (xgboost.XGBClassifier, xgboost.XGBRegressor, xgboost.XGBRFClassifier, xgboost.XGBRFRegressor):
            yield kind(n_estimators=2).fit(x, label)
        yield xgboost.XGBRanker(n_estimators=2).fit(x, label, qid=[0] * 60)
    else:
        import lightgbm

        yield lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, label), 2)
        for kind in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor, lightgbm.LGBMModel):
            arguments = {"objective": "binary"} if kind is lightgbm.LGBMModel else {}
            yield kind(n_estimators=2, verbose=-1, **arguments).fit(x, label)
        yield lightgbm.LGBMRanker(n_estimators=2, verbose=-1).fit(x, label, group=[60])


OBJECTS: dict[str, Callable[[], Iterator[Any]]] = {
    "numpy": arrays,
    "scipy": sparse_arrays,
    "sklearn": estimators,
    "xgboost": lambda: boosters("xgboost"),
    "lightgbm": lambda: boosters("lightgbm"),
}


def pairs_of(objects: Iterable[Any]) -> set[Pair]:
    found: set[Pair] = set()
    for each in objects:
        for protocol in (2, 4):
            try:
                data = pickle.dumps(each, protocol)
            except Exception:  # not everything can be pickled
                continue
            found.update(named_in(data))
    return found


def home(pair: Pair) -> str:
    """The file that a pair belongs to, by its package."""
    package = pair[0].partition(".")[0]
    if package == "joblib":
        return "numpy"
    return package if package in BY_HAND else "builtins"


def main() -> None:
    warnings.simplefilter("ignore")
    found: dict[str, set[Pair]] = {name: set(by_hand(text)) for name, text in BY_HAND.items()}
    for make in OBJECTS.values():
        for pair in pairs_of(make()):
            if home(pair) != "builtins" and is_own_class(pair) and pair not in REFUSED:
                found[home(pair)].add(pair)
    for name, pairs in found.items():
        file = ALLOWED / f"{name}.txt"
        old = file.read_text().splitlines() if file.exists() else []
        lines = {line for line in old if line and not line.startswith("#")} | {" ".join(pair) for pair in pairs}
        file.write_text("".join(f"{line}\n" for line in sorted(lines)))
        print(name, len(lines))


if __name__ == "__main__":
    main()
