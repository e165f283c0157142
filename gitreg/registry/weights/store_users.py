"""The store users: registries and clones that keep a store's blobs alive, opened to read which blobs they reach.

The remote of a registry has the published work of all its clones, so it is fetched before each garbage collection; the
unpublished work of a clone is in that clone only. If a store user cannot be read, nothing is collected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gitreg.blobs.store import Store, StoredClaim
from gitreg.errors import GitregError, NotFound, Refused
from gitreg.git import Repository
from gitreg.git.program import without_repository
from gitreg.registry.discovery.mirrors import REMOTE, open_mirror
from gitreg.registry.remote.upstream import Upstream
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.weights.claims import Claim, Claims, clone_id, is_plain_address, read_claim

AGED = 90
"""The age, in days since its last renewal, at which a claim may be released."""

_DAY = 86400.0
_ANOTHER = "the repository there is another one"


@dataclass(frozen=True)
class StoreUser:
    """A registry that keeps blobs in a store, open for reading.

    Parameters
    ----------
    branch:
        The branch of the registry.
    heads:
        The commits of its branch: here, and on its remote if that is another commit. A blob that is reachable from any
        of them is kept.
    refs:
        The refs of its remote by full name, with object ids; the repository has all these objects.
    name:
        The name of it for messages; None for the registry of this clone.
    """

    branch: RegistryBranch
    heads: tuple[str, ...]
    refs: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None


def surveyed(branch: RegistryBranch, remote: Upstream) -> StoreUser:
    """Return a clone's registry as a store user, with all refs of its remote that may have records.

    Raises
    ------
    GitregError
        As :meth:`Upstream.survey` raises it.
    """
    ours = branch.head()
    theirs, refs = remote.survey()
    behind = ours is not None and theirs is not None and branch.repository.is_ancestor(ours, theirs)
    return StoreUser(branch, tuple(head for head in (theirs, None if behind else ours) if head), refs)


@dataclass(frozen=True)
class StoreUsers:
    """All store users of one store, as seen from one clone.

    Parameters
    ----------
    branch:
        The branch of the clone's own registry.
    store:
        The store.
    remote:
        The remote of the clone's own registry; None if it has none.
    claims:
        The claims that this clone leaves in stores.
    env:
        The environment variables.
    mirrors:
        The folder of the mirrors, for registries that are read by URL.
    clock:
        Returns the time in seconds since the epoch.
    offline:
        True to contact no remote.
    """

    branch: RegistryBranch
    store: Store
    remote: Upstream | None
    claims: Claims
    env: Mapping[str, str]
    mirrors: Path
    clock: Callable[[], float]
    offline: bool = False

    @contextmanager
    def read(self) -> Iterator[list[StoreUser]]:
        """Open all store users, the clone's own registry first, and yield them.

        Raises
        ------
        Refused
            A store user cannot be read, or its claim has vanished, so that its reachable blobs are unknown.
        """
        registry, clone = self.claims.of_registry(), self.claims.of_clone()
        own = {claim.name: claim for claim in (registry, clone) if claim is not None}
        left = self.store.claims()
        self.claims.check_none_vanished(self.store, left)
        with ExitStack() as stack:
            users = [self._own()]
            read = [own[name] for name in left if name in own]
            for name, claim in left.items():
                if name in own:
                    continue
                opened = self._open(name, claim, left, stack)
                if opened is None:
                    continue
                users.append(opened[1])
                if "registry" not in opened[0].fields or "remote" in opened[0].fields:  # claims of clones may vanish
                    read.append(opened[0])
            self.claims.remember(self.store, read)
            yield users

    def release(self, names: Collection[str]) -> None:
        """Remove old claims whose registries cannot be read.

        Parameters
        ----------
        names:
            The names of the claims.

        Raises
        ------
        NotFound
            The store has no claim of that name.
        Refused
            The claim is younger than `AGED` days, or its registry can be read.
        """
        left = self.store.claims()
        for name in names:
            if name not in left:
                raise NotFound(f"{self.store.url} has no claim {name}", hint="`gitreg gc` names those in its way")
        for name in names:
            days = self._age(left[name])
            if days < AGED:
                raise Refused(
                    f"the claim {name} was renewed {days} days ago: it can be let go after {AGED}",
                    hint=f"if you know that it is gone for good, remove claims/{name} from {self.store.url}",
                )
            with ExitStack() as stack:
                try:
                    self._open(name, left[name], left, stack)
                except Refused:
                    self.store.drop_claim(name)
                    self.claims.forget(self.store, name)
                else:
                    raise Refused(
                        f"the claim {name} is of a registry that can be read, and stays",
                        hint="delete there what is needed no more, and collect again",
                    )

    # -- opening -----------------------------------------------------------------------------------------------------

    def _own(self) -> StoreUser:
        branch = self.branch
        ours = branch.head()
        if self.remote is None or self.store.own:
            return StoreUser(branch, (ours,) if ours else ())
        if self.offline:
            raise Refused(
                f"{self.remote.name} has to be asked what other clones keep in {self.store.url}, and this is offline",
                hint="collect without GITREG_OFFLINE",
            )
        try:
            return surveyed(branch, self.remote)
        except GitregError as error:
            raise Refused(
                f"{self.remote.name} does not tell what other clones keep in {self.store.url}: {error.message}",
                hint=error.hint or "nothing is collected before it can be asked",
            ) from error

    def _open(
        self, name: str, left: StoredClaim, all_left: Collection[str], stack: ExitStack
    ) -> tuple[Claim, StoreUser] | None:
        """Open the registry of a claim; None if another claim has replaced it."""
        claim = None
        try:
            claim = read_claim(name, left.text)
            if claim.fields.get("replaced_by", "") in all_left:
                return None
            user = self._of_remote(claim, stack) if "remote" in claim.fields else self._of_folder(claim, stack)
        except (ValueError, KeyError, GitregError, OSError) as error:
            raise self._in_the_way(name, claim, left, error) from None
        return claim, user

    def _of_folder(self, claim: Claim, stack: ExitStack) -> StoreUser:
        repository = Repository.discover(Path(claim.fields["repository"]), env=without_repository(self.env))
        stack.enter_context(repository)
        if "clone" in claim.fields and claim.fields["clone"] != clone_id(repository.common_dir):
            raise NotFound(f"{_ANOTHER}; its own is perhaps on another machine")
        branch = RegistryBranch(repository, claim.fields["branch"], claim.fields["root"])
        stack.callback(branch.close)
        return StoreUser(branch, (branch.snapshot().commit,), name=claim.place)

    def _of_remote(self, claim: Claim, stack: ExitStack) -> StoreUser:
        fields = claim.fields
        address = fields["remote"]
        if self.offline:
            raise NotFound("it has to be asked, and this is offline")
        if not is_plain_address(address):  # anybody with write access to the store may have written the claim
            raise NotFound("its address is neither of a folder nor of a machine")
        if fields.get("clone") and fields["clone"] != clone_id(Path(address)):
            exists = (Path(address) / "HEAD").exists()
            raise NotFound(f"{_ANOTHER}; its own is perhaps on another machine" if exists else "it is not there")
        mirror = open_mirror(
            f"{address}#{fields['branch']}:{fields['root']}", self.mirrors, env=self.env, offline=self.offline
        )
        repository, branch_name, root = mirror.location
        stack.enter_context(repository)
        branch = RegistryBranch(repository, branch_name, root)
        stack.callback(branch.close)
        theirs, refs = Upstream(branch, REMOTE, self.clock, mirror_of=address).survey()
        if theirs is None or branch.snapshot_at(theirs).settings.id != fields["registry"]:
            raise NotFound("another registry is there now")
        return StoreUser(branch, (theirs,), refs, name=address)

    def _in_the_way(self, name: str, claim: Claim | None, left: StoredClaim, error: Exception) -> Refused:
        days, fields = self._age(left), claim.fields if claim else {}
        heard = f" (it last saved there in the week {fields['renewed']})" if "renewed" in fields else ""
        owner = claim.place if claim else f"claims/{name}"
        if "repository" in fields and "registry" in fields:
            owner = f"{owner}, a clone with drafts or with commits that it has not pushed,"
        if days < AGED:
            hint = (
                f"collect where it can be read; if it is gone for good, remove claims/{name} from the store, or let it "
                f"go with `gitreg gc --release` once nobody has renewed it for {AGED} days, not {days}"
            )
        else:
            hint = f"nobody has renewed its claim for {days} days: if it is gone for good, `gitreg gc --release {name}`"
        if isinstance(error, Refused) and error.hint:
            hint = f"{error.hint}; or {hint}"
        return Refused(f"{owner} keeps weights in {self.store.url} too{heard}, and cannot be read: {error}", hint=hint)

    def _age(self, left: StoredClaim) -> int:
        """Return the days since a claim was renewed, by the store's clock."""
        return max(0, int((self.store.bucket.now() - left.renewed) / _DAY))
