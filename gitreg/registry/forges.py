"""Where a branch becomes a pull request: what each host wants to be told, and by which way.

The hosts are known by their names, and a host of one's own by the host's own program: ``gh`` and ``glab`` say whether
somebody is logged in there. GitLab, Gitea and Forgejo open it with a push. Elsewhere a person opens the page, or merges
the branch.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import quote, urlencode

from gitreg.git.program import speaking_of_none

_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]*@)?(?P<host>[\w.-]+)(?::\d+)?/|(?:[^@/\s]*@)?(?P<machine>[\w.-]+):(?!//))"
    r"(?P<path>[^\s]+?)(?:\.git)?/?$"
)
_URL = re.compile(r"https?://[^\s'\"<>]+")
_OPENED = re.compile(r"https?://\S+/(?:-/merge_requests|pulls)/\d+\b")
_BY_NAME = {
    "github": "github",
    "gitlab": "gitlab",
    "gitea": "gitea",
    "forgejo": "gitea",
    "codeberg": "gitea",
    "bitbucket": "bitbucket",
}
_PROGRAMS = {"gh": "github", "glab": "gitlab"}
_PATIENCE = 60.0  # seconds
_MOST_TEXT = 60_000  # bytes of a pull request's text: GitHub takes 65,536 characters
_MOST_OPTION = 16_000  # bytes of a push option: a line of Git's protocol has 65,516, and servers cut earlier
_LONGEST_TITLE = 255  # characters, on Forgejo


class PullRequest(NamedTuple):
    """What is asked for.

    Parameters
    ----------
    branch:
        What shall be merged.
    target:
        The branch that it shall be merged into.
    title, text:
        What people read; the text is Markdown.
    """

    branch: str
    target: str
    title: str
    text: str


class Host(NamedTuple):
    """A Git host, and one repository there.

    Parameters
    ----------
    kind:
        ``github``, ``gitlab``, ``gitea`` (and Forgejo) or ``bitbucket``; "" where it is not known.
    program:
        The host's own program, where it is here and somebody is logged in: its path.
    """

    kind: str
    name: str
    path: str
    program: str | None = None

    @property
    def address(self) -> str:
        """The repository's page."""
        return f"https://{self.name}/{self.path}"

    def page(self, branch: str, target: str) -> str | None:
        """Give the page where a person opens a pull request; None where it is not known."""
        source = quote(branch, safe="")
        if self.kind == "github":
            return f"{self.address}/compare/{quote(target)}...{quote(branch)}?expand=1"
        if self.kind == "gitlab":
            names = {"merge_request[source_branch]": branch, "merge_request[target_branch]": target}
            return f"{self.address}/-/merge_requests/new?{urlencode(names)}"
        if self.kind == "gitea":
            return f"{self.address}/compare/{quote(target)}...{quote(branch)}"
        if self.kind == "bitbucket":
            return f"{self.address}/pull-requests/new?source={source}&dest={quote(target, safe='')}"
        return None

    def push_options(self, request: PullRequest) -> list[str]:
        """Give what opens a pull request with the push itself, where the host does that: GitLab's push options."""
        if self.kind != "gitlab" or self.program is not None:
            return []
        # Git takes no line ends there; GitLab makes one of each backslash and n.
        description = _cut(request.text.strip(), _MOST_OPTION)
        return [
            "merge_request.create",
            f"merge_request.target={request.target}",
            f"merge_request.title={' '.join(request.title.split())}",
            "merge_request.description=" + description.replace("\r", "").replace("\n", "\\n"),
        ]

    def push_for_review(self, request: PullRequest) -> tuple[str, list[str]] | None:
        """Give the ref to push to, and the push options, where that opens a pull request: Gitea's and Forgejo's AGit.

        It is gone on with by who pushes again with the same topic. (https://docs.gitea.com/usage/agit)
        """
        if self.kind != "gitea" or self.program is not None:
            return None
        from gitreg.cards.markdown import to_html_line  # slow to import; few hosts need it

        # Git takes no line ends there. Since 1.24.3 Gitea decodes ``{base64}``; Forgejo and older ones would show that.
        return f"refs/for/{request.target}", [
            f"topic={request.branch}",
            f"title={' '.join(request.title.split())[:_LONGEST_TITLE]}",
            f"description={to_html_line(request.text, _MOST_OPTION)}",
            "force-push=true",
        ]


def opened_by_push(told: str) -> str | None:
    """Give the address of the pull request that a host says it has opened, or has open, for a push."""
    found = _OPENED.search(told)
    return found[0] if found else None


def offered_by_push(told: str) -> str | None:
    """Give the page that a host offers for a branch that was pushed."""
    found = _URL.search(told)
    return found[0] if found else None


def host_of(remote: str, env: Mapping[str, str]) -> Host | None:
    """Say which host a remote's address is at; None for a folder.

    Parameters
    ----------
    env:
        Where ``gh`` and ``glab`` are found, and what they are run with.
    """
    found = _REMOTE.match(remote)
    if found is None:
        return None
    name, path = found["host"] or found["machine"], found["path"].strip("/")
    kind = next((kind for part, kind in _BY_NAME.items() if part in name.lower()), "")
    for program, its_kind in _PROGRAMS.items():
        if kind not in ("", its_kind):
            continue
        where = shutil.which(program, path=env.get("PATH"))
        if where and _run([where, "auth", "status", "--hostname", name], env) is not None:
            return Host(its_kind, name, path, where)
    return Host(kind, name, path)


def open_pull_request(host: Host, request: PullRequest, env: Mapping[str, str]) -> str | None:
    """Open a pull request by the host's program, and give its address; None where that fails, or there is none."""
    if host.program is None:
        return None
    body = _cut(request.text, _MOST_TEXT)
    if host.kind == "github":
        arguments = ["pr", "create", "--repo", f"{host.name}/{host.path}", "--base", request.target]
        arguments += ["--head", request.branch, "--title", request.title, "--body-file", "-"]
        said = _run([host.program, *arguments], env, stdin=body, failing=True)
    else:
        arguments = ["mr", "create", "--repo", host.address, "--target-branch", request.target]
        arguments += ["--source-branch", request.branch, "--title", request.title, "--description", body, "--yes"]
        said = _run([host.program, *arguments], env, failing=True)
    return next((url for url in _URL.findall(said or "") if f"{host.path}/" in url), None)


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


def _run(command: Sequence[str], env: Mapping[str, str], *, stdin: str = "", failing: bool = False) -> str | None:
    """Run a program and give what it says, also where it fails if so asked: that there is one already, it names."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            input=stdin,
            env={**speaking_of_none(env), "GH_PROMPT_DISABLED": "1", "NO_PROMPT": "1"},
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
        )
        if done.returncode == 0 or failing:
            return f"{done.stdout}\n{done.stderr}"
    return None
