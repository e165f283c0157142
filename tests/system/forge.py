"""A stand-in for a Git host: what it merges, and what its CI service checks out and runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from gitreg.documents.yaml import loads
from tests.system.world import Ended, Person

METHODS = ("merge", "squash", "rebase")


def merge(person: Person, hub: Path, branch: str, *, by: str = "merge", target: str = "main") -> str:
    """Merge a branch on the hub, as a person does by a button; give the commit that the target is at then."""
    at = person.at(hub)
    base = at.git("merge-base", target, branch)
    commits = at.git("rev-list", "--reverse", f"{base}..{branch}").splitlines()
    tip = at.git("rev-parse", target)
    if by == "rebase":
        for commit in commits:
            beside = at.git("commit-tree", "-p", f"{commit}^", "-m", "as if", f"{tip}^{{tree}}")
            tree = at.git("merge-tree", "--write-tree", beside, commit)
            tip = at.git("commit-tree", "-p", tip, "-m", at.git("log", "-1", "--format=%B", commit), tree)
    else:
        tree = at.git("merge-tree", "--write-tree", tip, branch)
        parents = ["-p", tip, *(["-p", branch] if by == "merge" else [])]
        tip = at.git("commit-tree", *parents, "-m", f"{by} {branch}", tree)
    at.git("update-ref", f"refs/heads/{target}", tip)
    return tip


def github_checkout(person: Person, hub: Path, folder: Path, *, branch: str | None = None, depth: int = 0) -> Person:
    """Check out as actions/checkout does: a pull request's test merge on no branch, or a branch that was pushed to."""
    at = person.at(hub)
    folder.mkdir()
    there = person.at(folder)
    there.git("init", "-q", "-b", "none")
    there.git("remote", "add", "origin", f"file://{hub}")
    short = ["--no-tags", f"--depth={depth}"] if depth else ["--tags"]
    if branch is None:
        there.git("fetch", "-q", *short, "origin", "+refs/heads/main:refs/remotes/origin/main")
        there.git("checkout", "-q", "-B", "main", "refs/remotes/origin/main")
        return there
    tree = at.git("merge-tree", "--write-tree", "main", branch)
    test = at.git("commit-tree", "-p", "main", "-p", branch, "-m", "Merge", tree)
    at.git("update-ref", "refs/pull/1/merge", test)
    heads = [] if depth else ["+refs/heads/*:refs/remotes/origin/*"]
    there.git("fetch", "-q", *short, "origin", *heads, "+refs/pull/1/merge:refs/remotes/pull/1/merge")
    there.git("checkout", "-q", "--detach", "refs/remotes/pull/1/merge")
    return there


def gitlab_checkout(person: Person, hub: Path, folder: Path, *, branch: str, depth: int = 0) -> Person:
    """Check out as GitLab's runner does: a commit on no branch, and no ref of the target."""
    folder.mkdir()
    there = person.at(folder)
    there.git("init", "-q", "-b", "none")
    there.git("remote", "add", "origin", f"file://{hub}")
    short = [f"--depth={depth}"] if depth else []
    there.git("fetch", "-q", *short, "origin", f"+refs/heads/{branch}:refs/pipelines/1")
    there.git("checkout", "-q", "--detach", "refs/pipelines/1")
    return there


def jobs(pipeline: str) -> list[list[str]]:
    """Return the shell scripts of each job of a pipeline."""
    data = loads(pipeline.encode(), "pipeline")
    if "jobs" in data:
        return [[step["run"] for step in job["steps"] if "run" in step] for job in data["jobs"].values()]
    return [job["script"] for job in data.values() if "script" in job]


def steps(pipeline: str, job: str) -> list[tuple[dict[str, Any], str]]:
    """Give a job's own settings and shell scripts in order, without the step that installs gitreg."""
    data = loads(pipeline.encode(), "pipeline")
    if "jobs" in data:
        found = [(step, step["run"]) for step in data["jobs"][job]["steps"] if "run" in step]
    else:
        found = [(data[job], script) for script in data[job]["script"]]
    return [(step, script) for step, script in found if not script.startswith("pip install")]


def run_job(there: Person, pipeline: str, job: str, **env: str) -> Ended:
    """Run a job's steps in a checkout as a CI service does; after one fails, only those that always run."""
    worst, out, err = 0, "", ""
    for step, script in steps(pipeline, job):
        if worst and step.get("if") != "always()":
            continue
        given = {name: _expression(value, env) for name, value in step.get("env", {}).items()}
        ended = there.with_env(**env, **given).run("bash", "-e", "-c", script)
        worst, out, err = worst or ended.code, out + ended.out, err + ended.err
    return Ended(worst, out, err)


def _expression(value: str, env: dict[str, str]) -> str:
    """Give what GitHub puts in place of ``${{ github.event.before }}``: the tests name it so in the environment."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: env[found[1].replace(".", "_")], value)


def stand_in(folder: Path, name: str, *, says: str = "", host: str = "") -> Path:
    """Put a program into a folder that notes how it is called, and is logged in at one host."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(
        f"""#!/bin/sh
if [ "$1 $2" = "auth status" ]; then [ "$4" = "{host}" ]; exit; fi
for each in "$@"; do printf '%s\\0' "$each"; done >> "{folder}/{name}.argv"
printf '\\n' >> "{folder}/{name}.argv"
cat >> "{folder}/{name}.stdin"
echo "{says}"
"""
    )
    program.chmod(0o755)
    return folder


def with_programs(person: Person, folder: Path) -> Person:
    return person.with_env(PATH=f"{folder}{os.pathsep}{person.env['PATH']}")
