"""A remote repository, reached by dulwich where there is no git program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Protocol, TypeVar

from gitreg.errors import GitregError, Refused
from gitreg.git.config import Config
from gitreg.git.dulwich_internals import check_capabilities
from gitreg.git.history.history import shallow_boundary
from gitreg.git.objects.store import ObjectStore
from gitreg.git.protected_config import check_protocol, without_programs
from gitreg.git.remote.connections import Login, RemoteConnection, connected, url_of
from gitreg.git.remote.credentials import find_login
from gitreg.git.remote.negotiation import Haves, contents, to_send
from gitreg.git.remote.protocol import (
    PEELED,
    Rejection,
    connection_error,
    incomplete,
    matching,
    moved_tag,
    not_following,
    rejected,
)
from gitreg.git.remote.refspecs import Refspec
from gitreg.git.remote.shallow import move_boundary
from gitreg.git.urls import hide_login
from gitreg.git.values import ANY, RefUpdate

if TYPE_CHECKING:
    from dulwich.client import FetchPackResult, GitClient, LsRemoteResult
    from dulwich.objects import ObjectID
    from dulwich.pack import UnpackedObject
    from dulwich.refs import Ref

T = TypeVar("T")

_IN_MEMORY = 16 * 1024 * 1024  # bytes of a fetched pack in memory; a larger one is stored in a file
_NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_ZEROS = b"0" * 40


class LocalRepository(Protocol):
    """The part of the local repository that a fetch and a push need (`gitreg.git.repository.Repository`)."""

    @property
    def git_dir(self) -> Path:
        """The Git folder of its work tree."""

    @property
    def common_dir(self) -> Path:
        """The Git folder that its work trees share."""

    @property
    def work_tree(self) -> Path | None:
        """The folder of its work tree; None for a bare one."""

    @property
    def object_format(self) -> str:
        """The hash of its object ids, ``sha1`` or ``sha256``."""

    def refs(self, prefix: str) -> dict[str, str]:
        """Return its refs with their object ids."""

    def is_ancestor(self, ancestor: str, oid: str) -> bool:
        """Return whether a commit is another one, or in its history."""

    def update_refs(self, updates: Sequence[RefUpdate], *, reason: str) -> None:
        """Move refs by compare-and-swap, all of them or none."""


class DulwichRemote:
    """See `gitreg.git.remote.protocol.Remote`.

    Parameters
    ----------
    repository:
        The local repository.
    objects, config, env:
        The objects, the reader of the current configuration and the environment of the local repository.
    write:
        Writes an object of a type and content to the local repository, and returns its id.
    address:
        The name of a remote in the local configuration, or a URL.
    """

    def __init__(
        self,
        repository: LocalRepository,
        objects: ObjectStore,
        write: Callable[[str, bytes], str],
        config: Callable[[], Config],
        env: Mapping[str, str],
        address: str,
    ) -> None:
        self._repository = repository
        self._objects = objects
        self._write = write
        self._config = config
        self._env = env
        self._address = address
        self._login: Login | None = None
        self.name = hide_login(address)

    # -- asking ------------------------------------------------------------------------------------------------------

    def refs(self, *patterns: str) -> dict[str, str]:
        """See Remote."""
        found = self._list([pattern.partition("*")[0] for pattern in patterns])
        return matching(_named(found.refs), patterns)

    def head(self) -> str | None:
        """See Remote."""
        target = self._list(["HEAD"]).symrefs.get(b"HEAD")  # type: ignore[call-overload]
        return target.decode("utf-8", "surrogateescape") if target else None

    def _list(self, prefixes: Sequence[str]) -> LsRemoteResult:
        raw = [prefix.encode("utf-8", "surrogateescape") for prefix in prefixes]

        def ask(connection: RemoteConnection) -> LsRemoteResult:
            found = connection.client.get_refs(connection.path.encode(), ref_prefix=raw)
            if connection.is_local:
                found.refs.update(_tagged(connection.path))
            return found

        found = self._converse(ask)
        if found.object_format not in (None, self._repository.object_format):
            raise Refused(
                f"{self.name} is a {found.object_format} repository, and this one is not", hint="clone it with git"
            )
        return found

    # -- fetching ----------------------------------------------------------------------------------------------------

    def fetch(self, refspecs: Sequence[str], *, depth: int | None = None) -> None:
        """See Remote."""
        self._repository.update_refs(self.bring(refspecs, depth=depth), reason=f"fetch {self.name}")

    def bring(self, refspecs: Sequence[str], *, depth: int | None = None) -> list[RefUpdate]:
        """Fetch objects without moving refs, and return the ref updates that complete the fetch."""
        specs = [Refspec.parse(text) for text in refspecs]
        local_refs = self._repository.refs("refs/")
        known = set(local_refs.values())
        boundary = shallow_boundary(self._repository.common_dir)
        matched: list[tuple[Refspec, str, str]] = []

        def choose(remote_refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[bytes]:
            offered = _named(remote_refs)
            matched[:] = [found for spec in specs for found in spec.among(offered, self.name)]
            wanted = dict.fromkeys(oid for _, _, oid in matched)
            return [oid.encode() for oid in wanted if depth or oid not in known]

        def ask(connection: RemoteConnection) -> FetchPackResult:
            if connection.is_local and shallow_boundary(Path(connection.path)):
                raise incomplete(self.name)
            tips = [oid for name, oid in local_refs.items() if not name.startswith("refs/tags/")]
            with SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(self._objects.folders[0])) as pack:
                result = connection.client.fetch_pack(
                    connection.path,
                    choose,  # type: ignore[arg-type]
                    Haves(self._objects, tips, boundary),
                    pack.write,
                    depth=None if connection.is_local else depth,  # dulwich would not report the boundary
                    ref_prefix=[spec.prefix for spec in specs],
                )
                self._objects.add_pack(pack, self._write)
            return result

        done = self._converse(ask)
        if depth is None and {oid.decode() for oid in done.new_shallow or ()} - boundary:
            raise incomplete(self.name)
        move_boundary(self._repository.common_dir, done.new_shallow or (), done.new_unshallow or ())
        return [update for found in matched if (update := self._move(local_refs, *found))]

    def _move(self, local_refs: Mapping[str, str], spec: Refspec, name: str, oid: str) -> RefUpdate | None:
        target = spec.target_of(name)
        now = local_refs.get(target)
        if not target or now == oid:
            return None
        if now is not None and not spec.forced:
            if target.startswith("refs/tags/"):
                raise moved_tag(self.name, name)
            if not self._repository.is_ancestor(now, oid):
                raise not_following(self.name, name)
        return RefUpdate(target, oid, now)

    # -- pushing -----------------------------------------------------------------------------------------------------

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool = True, options: Sequence[str] = ()) -> str:
        """See Remote."""
        if self._repository.object_format != "sha1":
            raise Refused(f"{self._repository.object_format} is pushed by the git program only", hint="install git")
        together = atomic and len(updates) > 1
        heard: list[bytes] = []
        stale: list[Rejection] = []
        moving: list[str] = []
        theirs: list[str] = []

        def decide(remote_refs: Mapping[Ref, ObjectID]) -> dict[bytes, bytes]:
            offered = _named(remote_refs)
            stale[:] = [Rejection(update.name, "stale info") for update in updates if _is_stale(update, offered)]
            if stale and together:
                raise rejected(self.name, stale, "")
            left_out = {one.ref for one in stale}
            going = [u for u in updates if u.name not in left_out and offered.get(u.name) != u.new]
            moving[:] = [update.name for update in going]
            theirs[:] = [oid for name, oid in offered.items() if name.startswith("refs/heads/") or name in moving]
            return {u.name.encode("utf-8", "surrogateescape"): (u.new or "").encode() or _ZEROS for u in going}

        def pack(_have: object, want: set[bytes], **_: object) -> tuple[int, Iterator[UnpackedObject]]:
            boundary = shallow_boundary(self._repository.common_dir)
            oids = to_send(self._objects, [oid.decode() for oid in want], theirs, boundary)
            return len(oids), _unpacked(self._objects, oids)

        def ask(connection: RemoteConnection) -> dict[bytes, str | None]:
            from dulwich.errors import SendPackError

            if connection.is_local:
                raise Refused(
                    f"{self.name} is a folder: without a git program, its hooks would not be asked",
                    hint="install git, or push by HTTPS or SSH",
                )
            if options:
                _insist_on_options(connection.client, self.name)
            heard.clear()
            try:
                done = connection.client.send_pack(
                    connection.path.encode(),
                    decide,  # type: ignore[arg-type]
                    pack,  # type: ignore[arg-type]
                    progress=heard.append,
                    push_options=[option.encode() for option in options],
                    atomic=together,
                )
            except SendPackError as error:
                why = error.args[0].decode("utf-8", "replace").removeprefix("unpack ")
                return {name.encode("utf-8", "surrogateescape"): f"unpacker error: {why}" for name in moving}
            return done.ref_status or {}

        statuses = {
            name.decode("utf-8", "surrogateescape"): why for name, why in self._converse(ask, push=True).items()
        }
        messages = "\n".join(line.rstrip() for line in b"".join(heard).decode("utf-8", "replace").splitlines())
        if any(name not in statuses for name in moving):
            raise connection_error(self.name, "it did not say whether the refs moved")
        failed = [*stale, *(Rejection(name, why) for name in moving if (why := statuses[name]) is not None)]
        if failed:
            raise rejected(self.name, failed, hide_login(messages))
        return messages

    # -- conversations -----------------------------------------------------------------------------------------------

    def _converse(self, act: Callable[[RemoteConnection], T], *, push: bool = False) -> T:
        """Run an action over a new connection, a second time with the user's login where the server demands one."""
        from dulwich.client import HTTPUnauthorized
        from dulwich.errors import NotGitRepository

        everything = self._config()
        check_protocol(everything, self._env, self._address, push=push)
        config = without_programs(everything)
        url = url_of(config, self._address, push=push)
        folder = self._repository.work_tree or self._repository.git_dir
        with connected(config, self._env, folder, url, self._login, push=push) as connection:
            try:
                return act(connection)
            except GitregError:
                raise
            except HTTPUnauthorized as error:
                self._login = find_login(config, self._env, folder, url) if self._login is None else None
                if self._login is None:
                    raise connection_error(self.name, "Authentication failed") from error
            except NotGitRepository as error:
                raise connection_error(self.name, "repository not found") from error
            except Exception as error:  # dulwich and urllib3 have dozens of types for network errors
                raise connection_error(self.name, f"{connection.complaints()}\n{_words(error)}") from error
        return self._converse(act, push=push)


def _tagged(path: str) -> dict[Ref, ObjectID | None]:
    """Return the objects that the annotated tags of a local repository point to, which dulwich leaves out."""
    from dulwich.refs import Ref
    from dulwich.repo import Repo

    with Repo(path) as repository:
        tags = [name for name in repository.refs.allkeys() if name.startswith(b"refs/tags/")]
        peeled = {name: repository.get_peeled(name) for name in tags}
        return {Ref(name + PEELED.encode()): oid for name, oid in peeled.items() if oid != repository.refs[name]}


def _named(refs: Mapping[Ref, ObjectID | None]) -> dict[str, str]:
    return {name.decode("utf-8", "surrogateescape"): oid.decode() for name, oid in refs.items() if oid is not None}


def _is_stale(update: RefUpdate, offered: Mapping[str, str]) -> bool:
    """Return whether a ref is neither at its expected old place nor at its new one."""
    return offered.get(update.name) not in (update.new, update.old) and update.old != ANY


def _unpacked(objects: ObjectStore, oids: Sequence[str]) -> Iterator[UnpackedObject]:
    from dulwich.pack import UnpackedObject

    for oid, kind, content in contents(objects, oids):
        yield UnpackedObject(_NUMBERS[kind], sha=bytes.fromhex(oid), decomp_chunks=[content], decomp_len=len(content))


def _insist_on_options(client: GitClient, remote: str) -> None:
    """Make a push fail where the server does not support push options, which dulwich would silently leave out."""

    def check(offered: Collection[bytes]) -> None:
        if b"push-options" not in offered:
            raise connection_error(remote, "the receiving end does not support push options")

    check_capabilities(client, check)


def _words(error: BaseException) -> str:
    """Return the message of an error; of an error that urllib3 wraps, that of the cause."""
    cause = error.__cause__
    reason = getattr(cause, "reason", None)
    return str(reason or error) or type(error).__name__
