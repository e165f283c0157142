"""The hashing of local files into manifest entries, without storing them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gitreg.blobs.file_io import hash_file, open_regular
from gitreg.blobs.files import FileEntry, LocalFile
from gitreg.blobs.os_errors import readable_os_errors
from gitreg.blobs.parallel import by_size, threads
from gitreg.progress import Progress


def describe(files: Sequence[LocalFile], *, progress: Progress) -> list[FileEntry]:
    """Return the entries of local files, hashed, in the same order; nothing is stored."""

    def entry(file: LocalFile, progress: Progress) -> FileEntry:
        with readable_os_errors("read", file.source):
            descriptor = open_regular(file.source)
            try:
                digest, size = hash_file(descriptor, progress)
            finally:
                os.close(descriptor)
        return FileEntry(file.path, size, digest, file.executable)

    with threads() as pool:
        return list(by_size(pool, entry, files, progress))
