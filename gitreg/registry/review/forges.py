"""The Git hosts (forges), and the ways to open a pull request on each.

A host is recognised by its name; a self-hosted one by ``gh`` or ``glab``, if the user is logged in there with it.
GitLab, Gitea and Forgejo open a pull request with a push. On other hosts, a person opens it on a page, or merges the
branch.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import quote, urlencode

from gitreg.cards.markdown import to_html_line
from gitreg.git.program import without_repository

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
_MOST_TEXT = 60_000  # bytes of a pull request's text; GitHub accepts 65,536 characters
_MOST_OPTION = 16_000  # bytes of a push option: a line of Git's protocol has 65,516, and servers cut earlier
_LONGEST_TITLE = 255  # characters, on Forgejo


class PullRequest(NamedTuple):
    """A pull request to open.

    Parameters
    ----------
    branch:
        The branch to merge.
    target:
        The branch to merge into.
    title, text:
        The title, and the text in Markdown.
    """

    branch: str
    target: str
    title: str
    text: str


class Host(NamedTuple):
    """A repository on a Git host.

    Parameters
    ----------
    kind:
        ``github``, ``gitlab``, ``gitea`` (and Forgejo) or ``bitbucket``; "" where it is not known.
    name:
        The name of the host, as in its addresses.
    path:
        The path of the repository on the host.
    program:
        The path of ``gh`` or ``glab``; None where it is not installed or the user is not logged in.
    """

    kind: str
    name: str
    path: str
    program: str | None = None

    @property
    def address(self) -> str:
        """The URL of the repository's page."""
        return f"https://{self.name}/{self.path}"

    def commit_page(self, commit: str) -> str | None:
        """Return the URL of the page of a commit; None for an unknown kind of host."""
        part = {"github": "commit", "gitlab": "-/commit", "gitea": "commit", "bitbucket": "commits"}.get(self.kind)
        return f"{self.address}/{part}/{quote(commit, safe='')}" if part else None

    def page(self, branch: str, target: str) -> str | None:
        """Return the URL of the page where a person opens a pull request; None for an unknown kind of host."""
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
        """Return the push options with which GitLab opens a pull request; an empty list for other hosts."""
        if self.kind != "gitlab" or self.program is not None:
            return []
        # Git forbids line ends in push options; GitLab turns each backslash and n into one.
        description = _cut(request.text.strip(), _MOST_OPTION)
        return [
            "merge_request.create",
            f"merge_request.target={request.target}",
            f"merge_request.title={' '.join(request.title.split())}",
            "merge_request.description=" + description.replace("\r", "").replace("\n", "\\n"),
        ]

    def push_for_review(self, request: PullRequest) -> tuple[str, list[str]] | None:
        """Return the ref and the push options with which Gitea and Forgejo open a pull request (AGit); None elsewhere.

        A later push with the same topic updates the pull request. (https://docs.gitea.com/usage/agit)
        """
        if self.kind != "gitea" or self.program is not None:
            return None

        # Git forbids line ends in push options. Gitea decodes ``{base64}`` since 1.24.3, but Forgejo shows it.
        return f"refs/for/{request.target}", [
            f"topic={request.branch}",
            f"title={' '.join(request.title.split())[:_LONGEST_TITLE]}",
            f"description={to_html_line(request.text, _MOST_OPTION)}",
            "force-push=true",
        ]


def opened_by_push(reply: str) -> str | None:
    """Return the URL of an open pull request in a host's reply to a push; None where there is none."""
    found = _OPENED.search(reply)
    return found[0] if found else None


def offered_by_push(reply: str) -> str | None:
    """Return the first URL in a host's reply to a push; None where there is none."""
    found = _URL.search(reply)
    return found[0] if found else None


def host_by_name(remote: str) -> Host | None:
    """Return the host of a remote's address, by its name alone and so without a program; None for a folder."""
    found = _REMOTE.match(remote)
    if found is None:
        return None
    name = found["host"] or found["machine"]
    kind = next((kind for part, kind in _BY_NAME.items() if part in name.lower()), "")
    return Host(kind, name, found["path"].strip("/"))


def host_of(remote: str, env: Mapping[str, str]) -> Host | None:
    """Return the host of a remote's address; None for a folder.

    Parameters
    ----------
    env:
        The environment of ``gh`` and ``glab``, with the PATH to find them.
    """
    host = host_by_name(remote)
    if host is None:
        return None
    kind, name, path, _ = host
    for program, its_kind in _PROGRAMS.items():
        if kind not in ("", its_kind):
            continue
        program_path = shutil.which(program, path=env.get("PATH"))
        if program_path and _run([program_path, "auth", "status", "--hostname", name], env) is not None:
            return Host(its_kind, name, path, program_path)
    return host


def open_pull_request(host: Host, request: PullRequest, env: Mapping[str, str]) -> str | None:
    """Run the host's program to open a pull request, and return its URL; None without a program or on failure."""
    if host.program is None:
        return None
    body = _cut(request.text, _MOST_TEXT)
    if host.kind == "github":
        arguments = ["pr", "create", "--repo", f"{host.name}/{host.path}", "--base", request.target]
        arguments += ["--head", request.branch, "--title", request.title, "--body-file", "-"]
        output = _run([host.program, *arguments], env, stdin=body, failing=True)
    else:
        arguments = ["mr", "create", "--repo", host.address, "--target-branch", request.target]
        arguments += ["--source-branch", request.branch, "--title", request.title, "--description", body, "--yes"]
        output = _run([host.program, *arguments], env, failing=True)
    return next((url for url in _URL.findall(output or "") if f"{host.path}/" in url), None)


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


def _run(command: Sequence[str], env: Mapping[str, str], *, stdin: str = "", failing: bool = False) -> str | None:
    """Return the output of gh or glab; with `failing`, also on failure, as it names an existing pull request."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            input=stdin,
            env={**without_repository(env), "GH_PROMPT_DISABLED": "1", "NO_PROMPT": "1"},
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
        )
        if done.returncode == 0 or failing:
            return f"{done.stdout}\n{done.stderr}"
    return None
