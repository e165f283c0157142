"""transformers and sentence-transformers, in the folders that ``save_pretrained`` makes: safetensors and JSON.

Nothing is downloaded, no code in the folder is run, and no pickled weights are read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput, Refused
from gitreg.materializers.base import Materializer, check_exact, qualified, shown

_CODE = frozenset({".py", ".bin", ".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"})


class Transformers(Materializer):
    """A model, tokenizer, processor or configuration of transformers."""

    name = "transformers"
    types = (
        "transformers.modeling_utils.PreTrainedModel",
        "transformers.tokenization_utils_base.PreTrainedTokenizerBase",
        "transformers.processing_utils.ProcessorMixin",
        "transformers.image_processing_base.ImageProcessingMixin",
        "transformers.feature_extraction_utils.FeatureExtractionMixin",
    )
    needs = "transformers torch"

    def write(self, value: object, folder: Path) -> None:
        """Write what ``save_pretrained`` writes, and the class in ``class.json``."""
        import transformers

        kind = type(value)
        if getattr(transformers, kind.__name__, None) is not kind:
            raise InvalidInput(f"{shown(kind)} is no class of transformers itself", hint="save its .state_dict()")
        value.save_pretrained(folder)  # type: ignore[attr-defined]
        (folder / "class.json").write_text(json.dumps(kind.__name__), encoding="utf-8")

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it, as the expected class where that is one of transformers."""
        _refuse_code(folder, trusted)
        kind = expected if hasattr(expected, "from_pretrained") else _class(folder)
        options = {"use_safetensors": not trusted} if _is_model(kind) else {}
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)  # type: ignore[union-attr]


class SentenceTransformers(Materializer):
    """A SentenceTransformer."""

    name = "sentence-transformers"
    types = (
        "sentence_transformers.SentenceTransformer.SentenceTransformer",
        "sentence_transformers.sentence_transformer.model.SentenceTransformer",
    )
    needs = "sentence-transformers"

    def write(self, value: object, folder: Path) -> None:
        """Write what ``save_pretrained`` writes, without the card that it would make up."""
        from sentence_transformers import SentenceTransformer

        check_exact(value, SentenceTransformer)
        assert isinstance(value, SentenceTransformer)
        value.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it."""
        from sentence_transformers import SentenceTransformer

        _refuse_code(folder, trusted)
        if not trusted:
            _refuse_foreign_classes(folder)
        return SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)


def _class(folder: Path) -> Any:
    """Find the class of a folder, which may be one that `write` did not make."""
    import transformers

    if (folder / "class.json").exists():
        name = json.loads((folder / "class.json").read_bytes())
    else:
        name = (json.loads((folder / "config.json").read_bytes()).get("architectures") or [None])[0]
    kind = getattr(transformers, name, None) if isinstance(name, str) else None
    if not (isinstance(kind, type) and hasattr(kind, "from_pretrained")):
        raise InvalidInput(
            f"they name the class {name!r}, which transformers has not", hint="say which class is expected"
        )
    return kind


def _is_model(kind: Any) -> bool:
    return any(qualified(base) == Transformers.types[0] for base in getattr(kind, "__mro__", ()))


def _refuse_code(folder: Path, trusted: bool) -> None:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _CODE)
    if found and not trusted:
        raise Refused(
            f"{found[0].relative_to(folder)} can run code of its maker's choice",
            hint="load it with unsafe_pickle=True if you trust who made it",
        )


def _refuse_foreign_classes(folder: Path) -> None:
    """Refuse what names, anywhere in its JSON, a class that is neither sentence-transformers' nor torch's own."""
    for module in json.loads((folder / "modules.json").read_bytes()):
        if not str(module["type"]).startswith("sentence_transformers."):
            raise Refused(
                f"modules.json names the class {module['type']}, which is not of sentence-transformers",
                hint="load it with unsafe_pickle=True if you trust who made it",
            )
