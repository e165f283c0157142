"""Where a branch becomes a pull request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitreg.registry.review.forges import Host, PullRequest, host_by_name, host_of, open_pull_request

GITLAB = "https://gitlab.example.com/a/b/c/-/merge_requests/new?merge_request%5Bsource_branch%5D=gitreg%2F"
TO_MAIN = "&merge_request%5Btarget_branch%5D=main"
REQUEST = PullRequest("gitreg/promote/iris-production-7", "main", "Promote iris@7", "# Why\n\nbecause\n")


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("git@github.com:team/models.git", "https://github.com/team/models/compare/main...gitreg/a%2B7?expand=1"),
        ("https://ada@github.com/team/models", "https://github.com/team/models/compare/main...gitreg/a%2B7?expand=1"),
        ("ssh://git@gitlab.example.com:2222/a/b/c.git", f"{GITLAB}a%2B7{TO_MAIN}"),
        ("https://codeberg.org/team/models.git", "https://codeberg.org/team/models/compare/main...gitreg/a%2B7"),
        ("git@bitbucket.org:team/models.git",
         "https://bitbucket.org/team/models/pull-requests/new?source=gitreg%2Fa%2B7&dest=main"),
        ("https://git.example.com/team/models.git", None),
    ],
)  # fmt: skip
def test_the_page_that_opens_a_pull_request_follows_from_the_remotes_address(remote: str, page: str | None) -> None:
    host = host_of(remote, {})
    assert host is not None
    assert host.page("gitreg/a+7", "main") == page


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("git@github.com:team/models.git", "https://github.com/team/models/commit/ab12"),
        ("ssh://git@gitlab.example.com:2222/a/b/c.git", "https://gitlab.example.com/a/b/c/-/commit/ab12"),
        ("https://ada:word@codeberg.org/team/models.git", "https://codeberg.org/team/models/commit/ab12"),
        ("git@bitbucket.org:team/models.git", "https://bitbucket.org/team/models/commits/ab12"),
        ("https://git.example.com/team/models.git", None),
    ],
)
def test_a_commit_has_a_page_where_the_host_is_known_by_its_name(remote: str, page: str | None) -> None:
    host = host_by_name(remote)
    assert host is not None
    assert host.commit_page("ab12") == page


@pytest.mark.parametrize("remote", ["/srv/models.git", "../models.git", "file:///srv/models.git", "models/hub"])
def test_a_folder_is_at_no_host(remote: str) -> None:
    assert host_of(remote, {}) is None


def test_gitlab_opens_a_merge_request_with_the_push_and_takes_no_line_ends() -> None:
    options = Host("gitlab", "gitlab.com", "team/models").push_options(REQUEST)
    assert options == [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Promote iris@7",
        "merge_request.description=# Why\\n\\nbecause",
    ]
    long = REQUEST._replace(text="ä" * 40_000)
    assert max(len(option.encode()) for option in Host("gitlab", "gitlab.com", "a/b").push_options(long)) < 20_000


@pytest.mark.parametrize("kind", ["github", "gitea", "bitbucket", ""])
def test_other_hosts_are_sent_no_push_options(kind: str) -> None:
    assert Host(kind, "example.com", "team/models").push_options(REQUEST) == []


def test_gitea_is_pushed_to_for_review_with_the_text_on_one_line() -> None:
    table = "| metadata | old |\n| --- | --- |\n| `accuracy` | 0.91 |\n"
    asked = REQUEST._replace(text=f"# Why\n\n\\<b\\> & so\n\n{table}\n```diff\n-a\n+b\n```\n")
    review = Host("gitea", "codeberg.org", "team/models").push_for_review(asked)
    assert review is not None
    ref, (topic, title, description, force) = review
    assert (ref, topic, title) == ("refs/for/main", f"topic={REQUEST.branch}", f"title={REQUEST.title}")
    assert force == "force-push=true"
    assert description == (
        "description=<h1>Why</h1><p>&lt;b&gt; &amp; so</p><table><thead><tr><th>metadata</th><th>old</th></tr></thead>"
        "<tbody><tr><td><code>accuracy</code></td><td>0.91</td></tr></tbody></table>"
        '<pre><code class="language-diff">-a&#10;+b&#10;</code></pre>'
    )


@pytest.mark.slow
def test_a_long_text_for_a_push_loses_its_last_paragraphs() -> None:
    asked = REQUEST._replace(text="a paragraph\n\n" * 5000)
    review = Host("gitea", "codeberg.org", "team/models").push_for_review(asked)
    assert review is not None
    description = review[1][2]
    assert 15_000 < len(description) < 17_000
    assert description.endswith("<p>a paragraph</p>")


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket", ""])
def test_other_hosts_take_no_push_for_review(kind: str) -> None:
    assert Host(kind, "example.com", "team/models").push_for_review(REQUEST) is None


def stand_in(folder: Path, name: str, says: str = "", *, code: int = 0, known: str = "") -> Path:
    """Put a program on a PATH of its own that notes how it is called, and knows one host."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(
        f"""#!/bin/sh
if [ "$1 $2" = "auth status" ]; then [ "$4" = "{known}" ]; exit; fi
for each in "$@"; do printf '%s\\0' "$each"; done > {folder}/{name}.argv
while IFS= read -r line || [ -n "$line" ]; do printf '%s\\n' "$line"; done > {folder}/{name}.stdin
echo "{says}"
exit {code}
"""
    )
    program.chmod(0o755)
    return folder


def called(folder: Path, name: str) -> list[str]:
    return (folder / f"{name}.argv").read_text().split("\0")[:-1]


@pytest.mark.parametrize("name", ["github.com", "git.example.com"])
def test_gh_opens_it_where_somebody_is_logged_in_with_the_text_on_its_standard_input(tmp_path: Path, name: str) -> None:
    url = f"https://{name}/team/models/pull/7"
    env = {"PATH": str(stand_in(tmp_path / "bin", "gh", url, known=name))}
    host = host_of(f"git@{name}:team/models.git", env)
    assert host is not None
    assert (host.kind, host.push_options(REQUEST)) == ("github", [])
    assert open_pull_request(host, REQUEST, env) == url
    assert called(tmp_path / "bin", "gh") == [
        "pr", "create", "--repo", f"{name}/team/models", "--base", "main", "--head", REQUEST.branch,
        "--title", "Promote iris@7", "--body-file", "-",
    ]  # fmt: skip
    assert (tmp_path / "bin" / "gh.stdin").read_text() == REQUEST.text


def test_glab_opens_it_without_asking_anything(tmp_path: Path) -> None:
    url = "https://gitlab.com/team/models/-/merge_requests/7"
    env = {"PATH": str(stand_in(tmp_path / "bin", "glab", f"!7 Promote\n {url}", known="gitlab.com"))}
    host = host_of("git@gitlab.com:team/models.git", env)
    assert host is not None
    assert host.push_options(REQUEST) == []
    assert open_pull_request(host, REQUEST, env) == url
    assert called(tmp_path / "bin", "glab") == [
        "mr", "create", "--repo", "https://gitlab.com/team/models", "--target-branch", "main",
        "--source-branch", REQUEST.branch, "--title", "Promote iris@7", "--description", REQUEST.text, "--yes",
    ]  # fmt: skip


def test_a_pull_request_that_is_there_already_is_named(tmp_path: Path) -> None:
    url = "https://github.com/team/models/pull/3"
    says = f"a pull request for branch x into branch main already exists:\n{url}"
    env = {"PATH": str(stand_in(tmp_path / "bin", "gh", says, code=1, known="github.com"))}
    host = host_of("git@github.com:team/models.git", env)
    assert host is not None
    assert open_pull_request(host, REQUEST, env) == url


@pytest.mark.parametrize("known", ["", "other.example.com"])
def test_a_program_that_knows_another_host_is_left_alone(tmp_path: Path, known: str) -> None:
    env = {"PATH": str(stand_in(tmp_path / "bin", "gh", known=known))}
    host = host_of("git@github.com:team/models.git", env)
    assert host is not None
    assert host.program is None
    assert open_pull_request(host, REQUEST, env) is None
    assert not (tmp_path / "bin" / "gh.argv").exists()


def test_a_program_that_fails_leaves_the_page_to_open(tmp_path: Path) -> None:
    env = {"PATH": str(stand_in(tmp_path / "bin", "gh", "HTTP 502", code=1, known="github.com"))}
    host = host_of("git@github.com:team/models.git", env)
    assert host is not None
    assert open_pull_request(host, REQUEST, env) is None


def test_neither_program_asks_at_a_terminal(tmp_path: Path) -> None:
    folder = stand_in(tmp_path / "bin", "gh", known="github.com")
    script = (folder / "gh").read_text().replace("echo", 'echo "$GH_PROMPT_DISABLED" > ' + f"{folder}/asked; echo")
    (folder / "gh").write_text(script)
    env = {"PATH": str(folder)}
    host = host_of("git@github.com:team/models.git", env)
    assert host is not None
    open_pull_request(host, REQUEST, env)
    assert json.loads((folder / "asked").read_text()) == 1
