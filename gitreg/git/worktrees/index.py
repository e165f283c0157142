"""The staged changes as a commit, stored in a temporary object folder that is removed afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gitreg.errors import InvalidInput
from gitreg.git.discovery import RepositoryLayout
from gitreg.git.program import Git

_NOBODY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "staged"), ("EMAIL", "staged@localhost"))
}


@contextmanager
def staged_commit(
    git: Git, layout: RepositoryLayout, env: Mapping[str, str], parent: str | None
) -> Iterator[tuple[Path, str]]:
    """Yield the folder of the new objects and the id of the commit that ``git commit`` would make now.

    Parameters
    ----------
    env:
        The environment of the running hook: GIT_INDEX_FILE names the index to be committed.
    parent:
        The parent commit; None for a first commit.

    Raises
    ------
    InvalidInput
        Git cannot make a tree of the index: a conflict is not resolved.
    """
    objects = layout.common_dir / "objects"
    where = ("--git-dir", str(layout.git_dir))
    # `git prune` removes a folder of such a name that a killed process left.
    with TemporaryDirectory(prefix="tmp_objdir-gitreg-", dir=objects) as folder:
        variables = {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects), **_NOBODY}
        if index := env.get("GIT_INDEX_FILE"):
            variables["GIT_INDEX_FILE"] = str((layout.work_tree or layout.git_dir) / index)
        tree = git.run(*where, "write-tree", cwd=layout.git_dir, variables=variables)
        if tree.returncode:
            output = tree.stderr.decode(errors="replace").strip()
            raise InvalidInput(f"what is staged cannot be committed: {output}", hint="see `git status`")
        parents = ["-p", parent] if parent else []
        made = git.run(
            *where, "commit-tree", *parents, "-m", "staged", tree.stdout.decode().strip(),
            cwd=layout.git_dir, variables=variables, settings={"commit.gpgSign": "false"},
        )  # fmt: skip
        made.check_returncode()
        yield Path(folder), made.stdout.decode().strip()
