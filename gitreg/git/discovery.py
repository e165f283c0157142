"""The folders of a repository: found upwards from a folder as git finds them, without running git.

Sources: gitrepository-layout(5), setup.c of git, and its Documentation/technical/repository-version.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gitreg.errors import IntegrityError, NotFound, Refused
from gitreg.git.program import QUARANTINE

# Extensions that do not affect this layer; any other one may change the meaning of the files.
_KNOWN_EXTENSIONS = frozenset(
    {"noop", "preciousobjects", "partialclone", "worktreeconfig", "objectformat", "refstorage", "relativeworktrees"}
)
_SECTION = r'\[\s*([A-Za-z0-9.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\](.*)'  # compiled when first used
_SHARED = frozenset({"true", "yes", "on", "1", "group", "2", "all", "world", "everybody"})
_TRUE = frozenset({"true", "yes", "on", "1", ""})


class RepositoryLayout(NamedTuple):
    """The folders of one work tree of one repository.

    Parameters
    ----------
    git_dir:
        The Git folder of this work tree alone, with HEAD and the index.
    common_dir:
        The Git folder shared by all work trees, with objects, refs, packed-refs and config.
    work_tree:
        The folder with the files; None in a bare repository.
    object_format:
        The hash of the object ids, ``sha1`` or ``sha256``.
    """

    git_dir: Path
    common_dir: Path
    work_tree: Path | None
    object_format: str

    @property
    def oid_length(self) -> int:
        """The number of hexadecimal digits in an object id."""
        return 64 if self.object_format == "sha256" else 40


def discover(start: Path, env: Mapping[str, str]) -> RepositoryLayout:
    """Return the layout of the repository that a folder belongs to.

    Raises
    ------
    NotFound
        There is no repository, or ``GIT_DIR`` names none.
    Refused
        The format of the repository is not supported.
    """
    start = start.resolve()
    if env.get("GIT_DIR"):
        named = (start / env["GIT_DIR"]).resolve()
        git_dir = _follow_git_file(named) if named.is_file() else named
        if not _is_git_dir(git_dir):
            raise NotFound(f"GIT_DIR is {named}, which is not a Git repository", hint="unset GIT_DIR or correct it")
        layout = describe(git_dir, found_at=start)
        if env.get("GIT_WORK_TREE"):
            tree = (start / env["GIT_WORK_TREE"]).resolve()
            return RepositoryLayout(layout.git_dir, layout.common_dir, tree, layout.object_format)
        return layout
    for folder in (start, *start.parents):
        inside = folder / ".git"
        if inside.is_file():
            return describe(_follow_git_file(inside), found_at=folder)
        if _is_git_dir(inside):
            return describe(inside, found_at=folder)
        if _is_git_dir(folder):
            return describe(folder, found_at=None)
    raise NotFound(
        f"no Git repository at {start} or above it",
        hint="change to a folder inside one, or name one by --repo or GITREG_REGISTRY; `gitreg init` makes a registry",
    )


def describe(git_dir: Path, *, found_at: Path | None) -> RepositoryLayout:
    """Return the layout of the repository that a Git folder belongs to.

    Parameters
    ----------
    found_at:
        The work tree through which the Git folder was found, used where the folder does not name its work tree;
        None where it was not found through one.
    """
    git_dir = git_dir.resolve()
    pointer = _first_line(git_dir / "commondir")
    common_dir = (git_dir / pointer).resolve() if pointer else git_dir
    settings = read_plain_config(common_dir / "config")
    object_format = _check_format(common_dir, settings)
    if settings.get("extensions.worktreeconfig", "false").lower() in _TRUE:
        settings |= read_plain_config(git_dir / "config.worktree")
    return RepositoryLayout(git_dir, common_dir, _work_tree(git_dir, common_dir, settings, found_at), object_format)


def read_plain_config(path: Path) -> dict[str, str]:
    """Return the settings of one config file as ``section.key`` to value; the last value counts, no file is included.

    Git itself reads the file so before it trusts a repository (check_repository_format in setup.c); all other settings
    are read by `gitreg.git.config`.
    """
    out: dict[str, str] = {}
    section = ""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return out
    for line in lines:
        text = line.strip()
        if header := re.match(_SECTION, text):
            section = header[1].lower() + (f".{header[2]}" if header[2] is not None else "")
            text = header[3].strip()
        if not text or text[0] in "#;[":
            continue
        key, equals, value = text.partition("=")
        value = value.strip()
        value = value[1 : value.find('"', 1)] if value.startswith('"') else re.split(r"\s*[#;]", value)[0]
        out[f"{section}.{key.strip().lower()}"] = value.replace("\\\\", "\\") if equals else "true"
    return out


def object_folders(layout: RepositoryLayout, env: Mapping[str, str]) -> list[Path]:
    """Return the folders with the objects; in a pre-receive hook the quarantine comes first (git-receive-pack(1))."""
    own = layout.common_dir / "objects"
    quarantine = env.get(QUARANTINE)
    return [Path(quarantine), own] if quarantine and _is_below(Path(quarantine), own) else [own]


def _is_below(folder: Path, objects: Path) -> bool:
    """Return whether a quarantine belongs to this repository: a hook may read other repositories too."""
    return os.path.realpath(folder.parent) == os.path.realpath(objects)


def shared_with_group(common_dir: Path) -> bool:
    """Return whether the group may write new files of the repository (core.sharedRepository in git-config(1))."""
    value = read_plain_config(common_dir / "config").get("core.sharedrepository", "false").lower()
    return value in _SHARED or (value.startswith("0") and value.isdigit() and bool(int(value, 8) & 0o020))


def _is_git_dir(folder: Path) -> bool:
    """Return whether a folder has HEAD, objects and refs, as git checks it; the last two may be in the common one."""
    if not os.path.lexists(folder / "HEAD"):
        return False
    pointer = _first_line(folder / "commondir")
    common = folder / pointer if pointer else folder
    return (common / "objects").is_dir() and (common / "refs").is_dir()


def _follow_git_file(path: Path) -> Path:
    line = _first_line(path) or ""
    target = (path.parent / line.removeprefix("gitdir:").strip()).resolve()
    if not line.startswith("gitdir:") or not _is_git_dir(target):
        raise NotFound(
            f"{path} does not lead to a Git repository", hint="run `git worktree repair` in the main work tree"
        )
    return target


def _check_format(common_dir: Path, settings: Mapping[str, str]) -> str:
    version = settings.get("core.repositoryformatversion", "0")
    extensions = {k.removeprefix("extensions."): v for k, v in settings.items() if k.startswith("extensions.")}
    reftable = extensions.get("refstorage", "files").lower() != "files"
    if reftable or _first_line(common_dir / "HEAD") == "ref: refs/heads/.invalid":
        raise Refused(
            f"{common_dir} keeps its refs in a reftable, which gitreg cannot read",
            hint="run `git refs migrate --ref-format=files` there (git 2.46 or newer)",
        )
    unknown = sorted(set(extensions) - _KNOWN_EXTENSIONS) if version == "1" else []
    if version not in ("0", "1") or unknown:
        unsupported = f"extensions.{unknown[0]}" if unknown else f"repository format version {version}"
        raise Refused(f"{common_dir} uses {unsupported}, which gitreg does not know", hint="upgrade gitreg")
    object_format = extensions.get("objectformat", "sha1").lower() if version == "1" else "sha1"
    if object_format not in ("sha1", "sha256"):
        raise Refused(f"{common_dir} uses the object format {object_format!r}", hint="upgrade gitreg")
    return object_format


def _work_tree(git_dir: Path, common_dir: Path, settings: Mapping[str, str], found_at: Path | None) -> Path | None:
    if git_dir != common_dir:  # a linked work tree: the file gitdir names its .git file
        pointer = _first_line(git_dir / "gitdir")
        if not pointer:
            raise IntegrityError(f"{git_dir} does not say where its work tree is", hint="run `git worktree repair`")
        return (git_dir / pointer).resolve().parent
    if settings.get("core.worktree"):
        return (git_dir / settings["core.worktree"]).resolve()
    if settings.get("core.bare", "false" if git_dir.name == ".git" or found_at else "true").lower() in _TRUE:
        return None
    return git_dir.parent if git_dir.name == ".git" else found_at


def _first_line(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().rstrip("\r\n")
    except OSError:
        return None
