"""transformers and sentence-transformers, in the folders of ``save_pretrained``: safetensors and JSON.

Unless the caller trusts the files, nothing is downloaded, no code in or named by the files is run, and no pickled
weights are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput, Refused
from gitreg.materializers.base import Materializer, check_exact, qualified, shown

_MODEL = "transformers.modeling_utils.PreTrainedModel"
_CLASS = "class.json"
_ADAPTER = "adapter_config.json"
_CODE = frozenset({".py", ".bin", ".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"})


class Transformers(Materializer):
    """A model, tokenizer or processor of transformers."""

    name = "transformers"
    types = (
        _MODEL,
        "transformers.tokenization_utils_base.PreTrainedTokenizerBase",
        "transformers.processing_utils.ProcessorMixin",
        "transformers.image_processing_base.ImageProcessingMixin",
        "transformers.feature_extraction_utils.FeatureExtractionMixin",
    )
    needs = "transformers torch"

    def write(self, value: object, folder: Path) -> None:
        """Write the files of ``save_pretrained``, and the class name in ``class.json``."""
        import transformers

        kind = type(value)
        if getattr(transformers, kind.__name__, None) is not kind:
            raise InvalidInput(f"{shown(kind)} is no class of transformers itself", hint="save its .state_dict()")
        with _without_bars():
            value.save_pretrained(folder)  # type: ignore[attr-defined]
        if (folder / _ADAPTER).exists():
            raise InvalidInput("the model has an adapter, and only that would be saved", hint="merge it into the model")
        (folder / _CLASS).write_text(json.dumps(kind.__name__), encoding="utf-8")

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the object, of the expected class if that has ``from_pretrained``, else of the class in the files."""
        if not trusted:
            _refuse_code(folder)
        kind: Any = expected if hasattr(expected, "from_pretrained") else _class(folder)
        is_model = any(qualified(base) == _MODEL for base in kind.__mro__)
        options = {"use_safetensors": True} if is_model and not trusted else {}
        with _without_bars():
            return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted, **options)


class SentenceTransformers(Materializer):
    """A SentenceTransformer."""

    name = "sentence-transformers"
    types = (
        "sentence_transformers.sentence_transformer.model.SentenceTransformer",
        "sentence_transformers.SentenceTransformer.SentenceTransformer",  # before its version 6
    )
    needs = "sentence-transformers"

    def write(self, value: object, folder: Path) -> None:
        """Write the files of ``save_pretrained``, without a generated model card."""
        from sentence_transformers import SentenceTransformer

        check_exact(value, SentenceTransformer)
        assert isinstance(value, SentenceTransformer)
        with _without_bars():
            value.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the SentenceTransformer."""
        from sentence_transformers import SentenceTransformer

        if not trusted:
            _refuse_code(folder)
            for module in json.loads((folder / "modules.json").read_bytes()):
                _refuse_unless(str(module["type"]).startswith("sentence_transformers."), "modules.json", module["type"])
        with _without_bars():
            return SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=trusted)


def _class(folder: Path) -> Any:
    """Return the class that a folder names, in ``class.json`` or, if other tools made it, in ``config.json``."""
    import transformers

    if (folder / _CLASS).exists():
        name = json.loads((folder / _CLASS).read_bytes())
    else:
        name = (json.loads((folder / "config.json").read_bytes()).get("architectures") or [None])[0]
    kind = getattr(transformers, name, None) if isinstance(name, str) else None
    if not (isinstance(kind, type) and hasattr(kind, "from_pretrained")):
        raise InvalidInput(f"they name the class {name!r}, which transformers has not", hint="say which is expected")
    return kind


def _refuse_code(folder: Path) -> None:
    """Raise Refused for code, pickles, and configurations that name a class, a kernel or a library to import."""
    for path in sorted(folder.rglob("*")):
        where = str(path.relative_to(folder))
        _refuse_unless(path.suffix.lower() not in _CODE and path.name != _ADAPTER, where)
        if path.suffix == ".json" and path.name.endswith("config.json"):
            for key, value in _settings(json.loads(path.read_bytes())):
                if key == "activation_function" and "." in value:
                    _refuse_unless(value.startswith("torch.nn.modules."), where, value)
                elif key.endswith("attn_implementation"):  # a slash means the address of kernels, which are code
                    _refuse_unless("/" not in value, where, value)


def _settings(value: object) -> Iterator[tuple[str, str]]:
    """Yield the name and value of every string setting in a configuration."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield key, inner
            else:
                yield from _settings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _settings(inner)


def _refuse_unless(safe: bool, where: str, name: str = "") -> None:
    if not safe:
        culprit = f"{where} names {name}, which" if name else where
        raise Refused(
            f"{culprit} can run code of its maker's choice",
            hint="load it with unsafe_pickle=True if you trust who made it",
        )


@contextmanager
def _without_bars() -> Iterator[None]:
    """Disable transformers' progress bars in the body."""
    from transformers.utils import logging

    shown_before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown_before:
            logging.enable_progress_bar()
