"""torch's tensors and state dicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.materializers.helpers import again, damaged, digests, refused

torch: Any = pytest.importorskip("torch")
pytest.importorskip("safetensors")


def test_a_state_dict_comes_back_and_loads_into_a_new_model() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    model(torch.randn(8, 3))
    back = again(model.state_dict(), "torch.state_dict")
    fresh = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    fresh.load_state_dict(back)
    assert all(torch.equal(value, fresh.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6).reshape(2, 3).T,
        torch.tensor(1.5, dtype=torch.bfloat16),
        torch.ones(10)[3:5],
        torch.tensor([True]),
        torch.zeros(0, 3),
        torch.tensor([1 + 2j]).conj(),
        torch.ones(2, requires_grad=True),
    ],
    ids=str,
)
def test_a_tensor_comes_back_with_its_dtype_and_shape(tensor: Any) -> None:
    back = again(tensor, "torch.tensor")
    assert back.dtype == tensor.dtype
    assert back.shape == tensor.shape
    assert torch.equal(back, tensor.detach())


def test_tensors_that_share_memory_come_back() -> None:
    one = torch.arange(6.0).reshape(2, 3)
    tied = {"a": one, "b": one, "c": one[1], "d": torch.nn.Parameter(one)}
    back = again(tied, "torch.state_dict")
    assert all(torch.equal(back[name], value) for name, value in tied.items())
    assert digests(tied) == digests(tied)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.nn.Linear(2, 2), "its class is code"),
        (torch.nn.Parameter(torch.ones(2)), "would come back as torch.Tensor"),
        (torch.ones(2).to_sparse(), "is a torch.sparse_coo tensor"),
        ({"a": torch.ones(2, device="meta")}, "a is a meta tensor"),
        ({1: torch.ones(2)}, "the key 1 is no string"),
        ({"a": torch.ones(2), "epoch": 3}, "$.a is of torch.Tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_safetensors_cannot_hold_is_refused(value: object, words: str) -> None:
    refused(value, words)


def test_the_hint_for_a_module_is_its_state_dict() -> None:
    assert ".state_dict()" in (refused(torch.nn.Linear(2, 2)).hint or "")


def test_damage_is_told_in_words(tmp_path: Path) -> None:
    damaged({"a": torch.ones(50)}, tmp_path / "files")
