"""What several of these tests need."""

from __future__ import annotations

from pathlib import Path

from gitreg.blobs import BlobStore, FileEntry


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def large(files: list[FileEntry]) -> FileEntry:
    return next(entry for entry in files if entry.path == "model.safetensors")


def blob(store: BlobStore, entry: FileEntry) -> Path:
    path = store.local_path(entry.sha256)
    assert path is not None
    return path


def flip_a_bit(path: Path) -> None:
    """As a bad disk does it: whoever owns the file, whatever its mode."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with open(path, "r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))
    path.chmod(mode)


def temporary_files(store_folder: Path) -> list[Path]:
    return [path for path in (store_folder / "tmp").rglob("*") if path.is_file()]
