"""torch tensors and state dicts, in safetensors; they are restored on the CPU, as plain tensors.

The format reorders tensors, so a restored state dict has the same tensors in another order, which ``load_state_dict``
accepts; tensors that shared memory are restored with separate memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact, qualified

_FILE = "model.safetensors"
_ALONE = "tensor"  # the name of a single tensor in its file
_TENSOR = "torch.Tensor"


class StateDict(Materializer):
    """A dict of tensors by name."""

    name = "torch.state_dict"
    types = ("builtins.dict",)
    needs = "torch safetensors"

    def takes(self, value: object) -> bool:
        """Return whether an object is a non-empty dict whose values are all tensors; torch is not imported."""
        return isinstance(value, dict) and bool(value) and all(map(_is_tensor, value.values()))

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.safetensors``."""
        assert isinstance(value, dict)
        for key in value:
            if not isinstance(key, str):
                raise InvalidInput(f"the key {key!r} is no string", hint="name the tensors by strings")
        _save(value, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> dict[str, Any]:
        """Return the state dict."""
        return _load(folder)


class TorchTensor(Materializer):
    """A single tensor."""

    name = "torch.tensor"
    types = (_TENSOR,)
    needs = "torch safetensors"

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.safetensors``."""
        import torch

        check_exact(value, torch.Tensor)
        _save({_ALONE: value}, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Return the tensor."""
        return _load(folder)[_ALONE]


class Module(Materializer):
    """A module: refused with a hint, because its class is code."""

    name = "torch.module"
    types = ("torch.nn.modules.module.Module",)

    def write(self, value: object, folder: Path) -> None:
        """Raise InvalidInput: modules are not supported."""
        raise InvalidInput(
            "its class is code, which no safe format holds",
            hint="save its .state_dict(), and give that to load_state_dict() of a new one",
        )

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Raise InvalidInput: modules are not supported."""
        raise InvalidInput("modules are not saved", hint="read its state dict: torch.state_dict")


def _is_tensor(value: object) -> bool:
    return any(qualified(kind) == _TENSOR for kind in type(value).__mro__)


def _save(tensors: dict[str, Any], folder: Path) -> None:
    import safetensors.torch

    seen: set[int] = set()
    safetensors.torch.save_file({name: _plain(tensor, name, seen) for name, tensor in tensors.items()}, folder / _FILE)


def _plain(tensor: Any, name: str, seen: set[int]) -> Any:
    """Return a tensor as safetensors needs it: dense, on the CPU, in memory of its own."""
    import torch

    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        kind = "quantized" if tensor.is_quantized else "meta" if tensor.is_meta else str(tensor.layout)
        raise InvalidInput(f"{name} is a {kind} tensor, which safetensors cannot hold", hint="make it dense")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    memory = plain.untyped_storage()
    if memory.data_ptr() in seen or memory.nbytes() != plain.nbytes:
        plain = plain.clone()
    seen.add(memory.data_ptr())
    return plain


def _load(folder: Path) -> dict[str, Any]:
    import safetensors.torch

    tensors: dict[str, Any] = safetensors.torch.load_file(folder / _FILE)
    return tensors
