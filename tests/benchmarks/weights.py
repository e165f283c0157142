"""Files to save: one big one, many small ones, and a model in safetensors with what training makes of it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import NamedTuple

MEBI = 1 << 20


class Tensor(NamedTuple):
    """One tensor of 16-bit numbers; ``seed`` stands for its values."""

    name: str
    shape: tuple[int, ...]
    seed: str = "base"

    @property
    def size(self) -> int:
        """Bytes."""
        return 2 * prod(self.shape)


def noise(seed: str, size: int) -> Iterator[bytes]:
    """Give bytes that no compression makes smaller, the same for the same seed."""
    source = random.Random(seed)
    for start in range(0, size, MEBI):
        yield source.randbytes(min(MEBI, size - start))


def write_noise(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as stream:
        stream.writelines(noise(path.name, size))


def write_many(folder: Path, count: int, size: int) -> None:
    """Write files of one size, a hundred to a folder."""
    for number in range(count):
        write_noise(folder / f"{number // 100:03}" / f"{number:05}.bin", size)


def llama(layers: int, hidden: int = 1536, vocabulary: int = 32_000) -> list[Tensor]:
    """Give the tensors of a model like Llama, in the order of its file; 15 layers are about 1 GiB."""
    inner = hidden * 8 // 3
    found = [Tensor("model.embed_tokens.weight", (vocabulary, hidden))]
    for layer in range(layers):
        shapes: dict[str, tuple[int, ...]] = {
            "input_layernorm": (hidden,),
            "mlp.down_proj": (hidden, inner),
            "mlp.gate_proj": (inner, hidden),
            "mlp.up_proj": (inner, hidden),
            "post_attention_layernorm": (hidden,),
            **{f"self_attn.{letter}_proj": (hidden, hidden) for letter in "koqv"},
        }
        found += [Tensor(f"model.layers.{layer}.{name}.weight", shape) for name, shape in shapes.items()]
    return [*found, Tensor("model.norm.weight", (hidden,)), Tensor("lm_head.weight", (vocabulary, hidden))]


def write_safetensors(path: Path, tensors: Sequence[Tensor]) -> None:
    """Write the format by hand: eight bytes with the length of a JSON header, the header, the tensors."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in tensors:
        header[tensor.name] = {
            "dtype": "BF16",
            "shape": tensor.shape,
            "data_offsets": [end, end := end + tensor.size],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors:
            stream.writelines(noise(f"{tensor.name} {tensor.seed}", tensor.size))


class Variant(NamedTuple):
    """What became of a model, and how much of it is new: its share, 0 to 1, of the model's bytes."""

    what: str
    folder: Path
    changed: float


def variants(base: Path, tensors: Sequence[Tensor], folder: Path) -> Iterator[Variant]:
    """Make, one after the other, folders with what becomes of the model at ``base``; each is gone with the next.

    No two of them share bytes that ``base`` has not, so all may be saved into one store.
    """
    for what, write in _VARIANTS.items():
        folder.mkdir()
        new = write(base, tensors, folder)
        yield Variant(what, folder, new / base.stat().st_size)
        shutil.rmtree(folder)


def change_head(base: Path, tensors: Sequence[Tensor], folder: Path) -> int:
    """Change the last 12% of the bytes; return how many."""
    path = folder / base.name
    shutil.copyfile(base, path)
    size = path.stat().st_size
    changed = size * 12 // 100
    with open(path, "r+b") as stream:
        stream.seek(size - changed)
        stream.writelines(noise("head", changed))
    return changed


def _change_matrices(base: Path, tensors: Sequence[Tensor], folder: Path) -> int:
    left = sum(tensor.size for tensor in tensors) * 12 // 100
    matrices = [tensor for tensor in tensors if ".layers." in tensor.name and len(tensor.shape) > 1]
    chosen = set()
    for tensor in random.Random("matrices").sample(matrices, len(matrices)):
        if tensor.size <= left:
            chosen.add(tensor.name)
            left -= tensor.size
    return _write_changed(base, tensors, folder, "matrices", lambda name: name in chosen)


def _change_norms(base: Path, tensors: Sequence[Tensor], folder: Path) -> int:
    return _write_changed(base, tensors, folder, "norms", lambda name: "norm." in name)


def _merge_lora(base: Path, tensors: Sequence[Tensor], folder: Path) -> int:
    return _write_changed(base, tensors, folder, "lora", lambda name: ".q_proj." in name or ".v_proj." in name)


def _insert(base: Path, tensors: Sequence[Tensor], folder: Path) -> int:
    inserted = Tensor("adapter.weight", (512, 1024), "inserted")
    write_safetensors(folder / base.name, [inserted, *tensors])
    return inserted.size


def _reshard(base: Path, tensors: Sequence[Tensor], folder: Path) -> int:
    total = sum(tensor.size for tensor in tensors)
    shards: list[list[Tensor]] = [[], [], [], []]
    seen = 0
    for tensor in tensors:
        shards[seen * len(shards) // total].append(tensor)
        seen += tensor.size
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_safetensors(folder / name, shard)
        places |= {tensor.name: name for tensor in shard}
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    return 0


def _write_changed(
    base: Path, tensors: Sequence[Tensor], folder: Path, seed: str, changes: Callable[[str], bool]
) -> int:
    changed = [tensor._replace(seed=seed) if changes(tensor.name) else tensor for tensor in tensors]
    write_safetensors(folder / base.name, changed)
    return sum(tensor.size for tensor in changed if tensor.seed == seed)


_VARIANTS: dict[str, Callable[[Path, Sequence[Tensor], Path], int]] = {
    "the last 12% of its bytes": change_head,
    "12% of its bytes, whole matrices here and there": _change_matrices,
    "q and v of each layer, as by a merged LoRA": _merge_lora,
    "the norms of each layer, and nothing else": _change_norms,
    "a tensor of 1 MiB inserted at the front": _insert,
    "resharded into 4 files": _reshard,
}
