"""The blob store: sets of files in a bucket by the digest of their manifest, content-addressed and deduplicated.

It knows nothing of models or Git. A file's size decides how it is stored (schemas/README.md, "The store"): small files
go together into a pack, middle ones are objects of their own, big ones are cut into chunks. A reader does not rely on
the sizes: if an object is not at its expected key, the reader tries its other possible keys.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from gitreg.blobs import file_io, keys
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError, ObjectReader
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.content import Chunked, Content, Plain, is_whole, spans_of
from gitreg.blobs.format.pack import Span
from gitreg.blobs.format.recipe import parse_recipe
from gitreg.blobs.inventory import missing_of
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.os_errors import readable_os_errors
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.trash import TrashReader
from gitreg.errors import AbsentError, GitregError, IntegrityError, InvalidDocument, StoreGoneError
from gitreg.progress import NO_PROGRESS, Progress

_MARK = b"gitreg-store 1\n"
# Folders that show that a store without a marker, from an older gitreg, exists:
_SIGNS = (keys.BLOBS, keys.PACKS, keys.RECIPES, keys.CLAIMS, keys.TRASH, keys.DAMAGED)
_RUN = 16 << 20  # bytes of a pack read at once, at most
_GAP = 64 << 10  # unneeded bytes of a pack that are read rather than making a second request
_HINT = "gitreg looks in every store that the registry names; `gitreg store status` shows where the bytes still are"

if TYPE_CHECKING:
    from concurrent.futures import Executor

Item = TypeVar("Item")


class Target:
    """A file to fetch, and its destination.

    Parameters
    ----------
    path:
        The destination; its parent folder exists, the file itself does not.
    fresh:
        True if the folder is private to this process, so that the file may be written under its own name.

    Attributes
    ----------
    done:
        True once the file was written.
    """

    __slots__ = ("done", "entry", "fresh", "path")

    def __init__(self, entry: FileEntry, path: Path, fresh: bool = False) -> None:
        self.entry = entry
        self.path = path
        self.fresh = fresh
        self.done = False

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        return self.entry.size

    @contextmanager
    def written(self) -> Iterator[int]:
        """Yield a descriptor to write the file; if the body fails, no file remains (`file_io.writing`)."""
        with file_io.writing(self.path, executable=self.entry.executable, fresh=self.fresh) as descriptor:
            yield descriptor
        self.done = True


class Pack(NamedTuple):
    """The pack of a set's small files, and the span of each, by its sha256."""

    content: Content
    spans: dict[str, Span]


class StoredClaim(NamedTuple):
    """The claim that a store user, a registry that keeps its weights in a store, has left there.

    Parameters
    ----------
    renewed:
        Time when it was written or renewed, in seconds since 1970, by the store's clock.
    """

    text: bytes
    renewed: float


class Store:
    """Sets of files in a bucket; several processes and machines may use one store at the same time.

    Every method raises GitregError, with a readable message, when the disk or the network fails.

    Parameters
    ----------
    own:
        True if the store lies inside the repository that uses it, so that it is created when it is missing.
    """

    def __init__(self, bucket: Bucket, *, own: bool = False) -> None:
        self.bucket = bucket
        self.own = own
        self._recovering = TrashReader(bucket)

    @property
    def url(self) -> str:
        """The store's URL, as in a registry."""
        return self.bucket.url

    @property
    def local(self) -> bool:
        """True if the store is a folder of this machine."""
        return self.bucket.local

    # -- existence ---------------------------------------------------------------------------------------------------

    @property
    def gone(self) -> bool:
        """True if there is no store: neither a marker, nor objects of an older store without a marker."""
        return not (self._is_marked() or self._holds_something())

    def create(self) -> bool:
        """Write the store's marker into the bucket; return whether this created a new store."""
        if self._is_marked():
            return False
        new = self.gone
        self.bucket.write(keys.MARKER, _MARK)
        self.bucket.sync([keys.MARKER])
        return new

    def prepare(self) -> None:
        """Check before a write that the store exists; add a marker to an older store, create an own one.

        Raises
        ------
        StoreGoneError
            The store is missing, and it is not the repository's own.
        """
        if self._is_marked():
            return
        if not self.own and self.gone:
            raise self.not_there()
        self.create()

    def not_there(self) -> StoreGoneError:
        """Return the error for a missing store."""
        if self.own:
            return StoreGoneError(
                f"the store {self.url} is not there: nothing was saved in this clone yet",
                hint="copy it from the clone that saved it: `gitreg store copy --from CLONE/.git/gitreg/store`",
            )
        place, guess = (
            (unquote(urlsplit(self.url).path), "is it mounted?") if self.local else (self.url, "is its URL right?")
        )
        return StoreGoneError(
            f"the store {place} is not there ({guess})",
            hint=f"mount or connect it; only if it is to be a new one: `gitreg store create {place}`",
        )

    def _is_marked(self) -> bool:
        return bool(self.bucket.find([keys.MARKER]))

    def _holds_something(self) -> bool:
        return any(next(iter(self.bucket.list(folder)), None) is not None for folder in _SIGNS)

    # -- files -------------------------------------------------------------------------------------------------------

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        """Write verified copies of some of a set's files to their targets.

        A target's name never shows wrong or partial content. Damaged objects are moved aside.

        Raises
        ------
        OvertakenError
            Something exists by now in the place of a file.
        IntegrityError
            A file is missing or damaged in the store. Other files may have been written to their targets.
        """
        pack = self.pack_of(manifest, [target.entry for target in targets])
        packed = [target for target in targets if pack and target.entry.sha256 in pack.spans]
        alone = [target for target in targets if not (pack and target.entry.sha256 in pack.spans)]
        with threads() as pool:
            if pack:
                unpack = partial(self._unpack, pack, progress)
                together = runs(pack, packed, lambda target: target.entry)
                # With a local store, several threads would only compete for the GIL.
                for _ in map(unpack, together) if self.local else ahead(pool, unpack, together):
                    pass
            fetch = partial(self._fetch_one, progress, None)
            for _ in ahead(pool, fetch, [target for target in alone if target.size < keys.BIG]):
                pass
            for target in alone:
                if target.size >= keys.BIG:
                    self._fetch_one(progress, pool, target)

    def content(self, entry: FileEntry) -> Content:
        """Return the content of a file outside any pack.

        Raises
        ------
        IntegrityError
            The store does not have the file, or its recipe is damaged.
        """
        places = [keys.blob(entry.sha256), keys.recipe(entry.sha256)]
        ordered = places[::-1] if entry.size >= keys.BIG else places
        for objects in (self.bucket, self._recovering):
            for key in ordered:
                if key.startswith(keys.RECIPES):
                    chunked = self._chunked(key, entry.path, objects)
                    if chunked:
                        if chunked.size != entry.size:
                            raise wrong_size(entry, chunked.size)
                        return chunked
                elif info := objects.find([key]).get(key):
                    plain = Plain(self._recovering, key, max(0, info.size))
                    if plain.size != entry.size:
                        raise self.damaged(entry.path, key) if plain.damage() else wrong_size(entry, plain.size)
                    return plain
        raise self.absent(entry.path, places[0])

    def pack(self, manifest: Manifest) -> Pack | None:
        """Return the pack of a set; None if it has none.

        Raises
        ------
        IntegrityError
            The pack is damaged or incomplete.
        """
        content = self._find_pack(manifest, self.bucket) or self._find_pack(manifest, self._recovering)
        if content is None:
            return None
        try:
            return Pack(content, spans_of(content))
        except NoSuchObjectError as error:
            raise self.absent(_in_pack(manifest), error.key) from None
        except InvalidDocument:
            raise self.blame(_in_pack(manifest), content) from None

    def pack_of(self, manifest: Manifest, entries: Sequence[FileEntry]) -> Pack | None:
        """Return the pack of a set if one of the files may lie in it; otherwise None."""
        return (
            self.pack(manifest) if keys.may_be_packed(manifest) and any(e.size < keys.SMALL for e in entries) else None
        )

    def _find_pack(self, manifest: Manifest, objects: ObjectReader) -> Content | None:
        key = keys.pack(manifest.hex)
        if info := objects.find([key]).get(key):
            return Plain(self._recovering, key, info.size)
        return self._chunked(keys.pack_recipe(manifest.hex), _in_pack(manifest), objects)

    def _chunked(self, key: str, path: str, objects: ObjectReader) -> Chunked | None:
        try:
            return Chunked(self._recovering, key, parse_recipe(objects.read(key)))
        except NoSuchObjectError:
            return None
        except InvalidDocument:
            raise self.damaged(path, key) from None

    # -- copying -----------------------------------------------------------------------------------------------------

    def _unpack(self, pack: Pack, progress: Progress, run: Sequence[Target]) -> None:
        spans = [pack.spans[target.entry.sha256] for target in run]
        start = spans[0].start
        try:
            data = memoryview(pack.content.read(Span(start, max(span.stop for span in spans))))
        except NoSuchObjectError as error:
            raise self.absent(run[0].entry.path, error.key) from None
        for target, span in zip(run, spans, strict=True):
            found = data[span.start - start : span.stop - start]
            if sha256(found).hexdigest() != target.entry.sha256:
                raise self.blame(target.entry.path, pack.content)
            if len(found) != target.entry.size:
                raise wrong_size(target.entry, len(found))
            with (
                readable_os_errors("copy from the store", target.path),
                target.written() as copy,
            ):
                file_io.write_all(copy, found, 0)
            progress.advance(len(found))

    def _fetch_one(self, progress: Progress, pool: Executor | None, target: Target) -> None:
        """Copy a file outside any pack to its target; with a pool, several of its parts are read ahead."""
        content = self.content(target.entry)
        as_file = isinstance(content, Plain) and target.size  # an empty file needs no reading
        local = self.bucket.local_path(keys.blob(target.entry.sha256)) if as_file else None
        if local is None:
            self._assemble(target, content, progress, pool)
            return
        with readable_os_errors("copy from the store", target.path):
            try:
                source = file_io.open_regular(local)
            except FileNotFoundError:  # gc removed it at this moment
                self._assemble(target, content, progress, pool)
                return
            try:
                with target.written() as copy:
                    digest, _ = file_io.copy_hashed(source, copy, progress, durable=False)
                    if digest != target.entry.sha256:
                        raise self.blame(target.entry.path, content)
            finally:
                os.close(source)

    def _assemble(self, target: Target, content: Content, progress: Progress, pool: Executor | None) -> None:
        """Copy a file part by part to its target, and verify its sha256."""
        digest = sha256()
        with (
            readable_os_errors("copy from the store", target.path),
            target.written() as copy,
        ):

            def take(span: Span) -> bytes:
                data = content.read(span)
                file_io.write_all(copy, data, span.start)
                if not self.local:  # files from a remote store go to the cache, which syncs them
                    file_io.begin_sync(copy, span.start, len(data))
                return data

            try:
                for data in ahead(pool, take, content.parts()) if pool else map(take, content.parts()):
                    digest.update(data)
                    progress.advance(len(data))
            except NoSuchObjectError as error:
                raise self.absent(target.entry.path, error.key) from None
            if digest.hexdigest() != target.entry.sha256:
                raise self.blame(target.entry.path, content)

    # -- contents ----------------------------------------------------------------------------------------------------

    def missing(self, manifests: Iterable[Manifest]) -> dict[str, list[FileEntry]]:
        """Return the missing files of each set, by the digest of its manifest, without reading them.

        An object of another size was cut off, and counts as missing. Complete sets are left out.
        """
        wanted = list(manifests)
        absent = missing_of(wanted, self.bucket)
        return missing_of([m for m in wanted if m.digest in absent], self._recovering) if absent else absent

    def read_manifest(self, digest: str, *, limit: int) -> Manifest:
        """Return a manifest that was stored as an object.

        Parameters
        ----------
        digest:
            Digest of the manifest, ``sha256:...``.
        limit:
            Maximum size in bytes.

        Raises
        ------
        IntegrityError
            The manifest is missing, damaged, or longer than the limit.
        """
        key = keys.blob(digest.removeprefix("sha256:"))
        try:
            text = self._recovering.read(key, 0, limit + 1)
        except NoSuchObjectError:
            raise self.absent(f"the manifest {digest}", key) from None
        if len(text) > limit:  # intact or not, it cannot be the manifest
            raise IntegrityError(f"the manifest {digest} is longer than {limit:,} bytes", hint="run gitreg doctor")
        if sha256(text).hexdigest() != keys.digest_in(key):
            raise self.damaged(f"the manifest {digest}", key)
        return Manifest.parse(text)

    def claim(self, name: str, text: bytes) -> bool:
        """Write a store user's claim under its name; return whether it was new or changed.

        Raises
        ------
        StoreGoneError
            The store is missing.
        """
        key = keys.CLAIMS + name
        with suppress(NoSuchObjectError):
            if self.bucket.read(key) == text:
                return False
        self.prepare()
        self.bucket.write(key, text)
        self.bucket.sync([key])
        return True

    def claims(self) -> dict[str, StoredClaim]:
        """Return the claims of all store users, by name."""
        claims = {}
        for info in self.bucket.list(keys.CLAIMS):
            with suppress(NoSuchObjectError):  # removed at this moment
                claims[info.key.removeprefix(keys.CLAIMS)] = StoredClaim(self.bucket.read(info.key), info.mtime)
        return claims

    def read_claim(self, name: str) -> bytes | None:
        """Return the text of the claim with a name; None if there is none."""
        with suppress(NoSuchObjectError):
            return self.bucket.read(keys.CLAIMS + name)
        return None

    def drop_claim(self, name: str) -> None:
        """Remove the claim with a name."""
        self.bucket.delete([keys.CLAIMS + name])

    # -- errors ------------------------------------------------------------------------------------------------------

    def blame(self, path: str, content: Content) -> IntegrityError:
        """Return the error for a copy with a wrong sha256, and move the damaged objects, if there are any, aside."""
        errors = [self.damaged(path, key) for key in content.damage()]
        if errors:
            return errors[0]
        return IntegrityError(
            f"{path}: its copy came out damaged although {self.url} holds it whole",
            hint="check the memory of this machine and the disk that is written to",
        )

    def absent(self, path: str, key: str) -> AbsentError | StoreGoneError:
        """Return the error for a missing object, or for a missing store."""
        if self.gone:
            return self.not_there()
        return AbsentError(f"{path}: the store {self.url} does not hold {key}", hint=_HINT)

    def damaged(self, path: str, key: str) -> IntegrityError:
        """Move a damaged object aside and return its error; the next save of its content repairs the store.

        The moved object is verified once more, and moved back if another process has repaired it meanwhile.
        """
        aside = keys.DAMAGED + key
        with suppress(GitregError, NoSuchObjectError):  # the store is read-only here
            self.bucket.move(key, aside)
            info = self.bucket.find([aside]).get(aside)
            if info and not key.startswith(keys.RECIPES) and is_whole(Plain(self.bucket, key, info.size, aside), key):
                self.bucket.move(aside, key)
        return IntegrityError(f"{path}: {key} in the store {self.url} is damaged", hint=_HINT)


def _in_pack(manifest: Manifest) -> str:
    """Return a name for the files of a pack, for messages: the first path and the number of others."""
    paths = [entry.path for entry in manifest.files if entry.size < keys.SMALL] or [manifest.digest]
    return f"{paths[0]}, packed with {len(paths) - 1} more"


def runs(pack: Pack, wanted: Iterable[Item], entry: Callable[[Item], FileEntry]) -> Iterator[list[Item]]:
    """Yield groups of items whose files are read from a pack in one request, in the pack's order.

    Parameters
    ----------
    entry:
        Returns the file of an item; the pack contains it.
    """
    ordered = sorted(((pack.spans[entry(item).sha256], item) for item in wanted), key=lambda pair: pair[0])
    run: list[tuple[Span, Item]] = []
    for span, item in ordered:
        if run and (span.stop - run[0][0].start > _RUN or span.start - run[-1][0].stop > _GAP):
            yield [each for _, each in run]
            run = []
        run.append((span, item))
    if run:
        yield [each for _, each in run]


def wrong_size(entry: FileEntry, size: int) -> IntegrityError:
    """Return the error for a record with a wrong size for a sha256."""
    return IntegrityError(
        f"{entry.path}: the record says {entry.size} bytes, but what has its sha256 is {size} bytes long",
        hint="the record is wrong: run gitreg doctor",
    )
