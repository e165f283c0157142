"""torch's tensors and state dicts, in safetensors; they come back on the CPU, as plain tensors.

The file orders tensors by itself, so a state dict comes back with the same tensors in another order, which
``load_state_dict`` does not mind; tensors that shared memory come back each with its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact, qualified

_FILE = "model.safetensors"
_ALONE = "tensor"  # the name of a tensor that is alone in its file
_TENSOR = "torch.Tensor"


class StateDict(Materializer):
    """A dict of names and tensors."""

    name = "torch.state_dict"
    types = ("builtins.dict",)
    needs = "torch safetensors"

    def takes(self, value: object) -> bool:
        """Say whether all its values are tensors, without importing torch, and whether there are any."""
        return isinstance(value, dict) and bool(value) and all(map(_is_tensor, value.values()))

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.safetensors``."""
        assert isinstance(value, dict)
        for key in value:
            if not isinstance(key, str):
                raise InvalidInput(f"the key {key!r} is no string", hint="name the tensors by strings")
        _save(value, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> dict[str, Any]:
        """Read it."""
        return _load(folder)


class Tensor(Materializer):
    """A tensor on its own."""

    name = "torch.tensor"
    types = (_TENSOR,)
    needs = "torch safetensors"

    def write(self, value: object, folder: Path) -> None:
        """Write ``model.safetensors``."""
        import torch

        check_exact(value, torch.Tensor)
        _save({_ALONE: value}, folder)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Any:
        """Read it."""
        return _load(folder)[_ALONE]


class Module(Materializer):
    """A module, whose class is code: refused with a hint."""

    name = "torch.module"
    types = ("torch.nn.modules.module.Module",)

    def write(self, value: object, folder: Path) -> None:
        """Refuse it."""
        raise InvalidInput(
            "its class is code, which no safe format holds",
            hint="save its .state_dict(), and give that to load_state_dict() of a new one",
        )

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Refuse it."""
        raise InvalidInput("modules are not saved", hint="read its state dict: torch.state_dict")


def _is_tensor(value: object) -> bool:
    return any(qualified(kind) == _TENSOR for kind in type(value).__mro__)


def _save(tensors: dict[str, Any], folder: Path) -> None:
    import safetensors.torch

    seen: set[int] = set()
    safetensors.torch.save_file({name: _plain(tensor, name, seen) for name, tensor in tensors.items()}, folder / _FILE)


def _plain(tensor: Any, name: str, seen: set[int]) -> Any:
    """Give the tensor's values as safetensors takes them: dense, on the CPU, in memory that no other one uses."""
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
