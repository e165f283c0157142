"""ONNX and Keras models."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer

_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the zip format's first day


class Onnx(Materializer):
    """An ONNX model including its weights, up to 2 GiB, the limit of a protobuf message."""

    name = "onnx"
    types = ("onnx.onnx_ml_pb2.ModelProto", "onnx.onnx_pb.ModelProto")
    needs = "onnx"

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.onnx``."""
        message: Any = value
        for tensor in message.graph.initializer:
            if tensor.external_data:
                raise InvalidInput(
                    f"the weights of {tensor.name} lie in a file beside the model",
                    hint="load them into it (onnx.load does), or save the folder's path",
                )
        (folder / "model.onnx").write_bytes(message.SerializeToString(deterministic=True))

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the model; external files that it names are not read."""
        import onnx

        return onnx.load_model_from_string((folder / "model.onnx").read_bytes())


class Keras(Materializer):
    """A Keras 3 model with its optimizer's state, in the .keras format, read in safe mode: no lambda, no bytecode."""

    name = "keras"
    types = ("keras.src.models.model.Model",)
    needs = "keras"
    safe_from = (("keras", "3.13.2"),)  # CVE-2026-1462, the newest known bypass of safe mode

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.keras``."""
        model: Any = value
        model.save(folder / "raw.keras")
        _copy_steadily(folder / "raw.keras", folder / "model.keras")
        (folder / "raw.keras").unlink()

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the model, without safe mode if the caller trusts the file."""
        import keras

        return keras.saving.load_model(folder / "model.keras", safe_mode=not trusted)


def _copy_steadily(source: Path, target: Path) -> None:
    """Copy a .keras file without its timestamps, so that the same model gives the same bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "x") as new:
        for name in old.namelist():
            with (
                old.open(name) as content,
                new.open(zipfile.ZipInfo(name, date_time=_NO_TIME), "w", force_zip64=True) as out,
            ):
                if name == "metadata.json":
                    kept = json.load(content)
                    kept.pop("date_saved", None)
                    out.write(json.dumps(kept).encode())
                    continue
                while piece := content.read(1 << 20):
                    out.write(piece)
