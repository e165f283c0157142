"""No login in a URL is shown, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput
from gitreg.git.urls import check_login, hide_login, hide_password


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://ada:secret@host.example/team.git", "https://host.example/team.git"),
        ("https://ada:p@ss@host.example/team.git", "https://host.example/team.git"),
        ("https://ada:p/ss@host.example/team.git", "https://host.example/team.git"),
        ("https://ada:12/34@host/team.git", "https://host/team.git"),
        ("https://ada:p/s@s@host:8080/team.git", "https://host:8080/team.git"),
        ("https://ada:p@s.s/s@host/team.git", "https://host/team.git"),
        ("https://ada:p#ss@host/team.git", "https://host/team.git"),
        ("https://ada:p", "https://ada:***"),
        ("https://token@host/team.git", "https://host/team.git"),
        ("http://ada:s@[::1]:80/team.git", "http://[::1]:80/team.git"),
        ("https://host/team.git?private_token=abc&x=1", "https://host/team.git?private_token=***&x=1"),
        ("https://host/team.git?x=1&ACCESS_TOKEN=abc#main", "https://host/team.git?x=1&ACCESS_TOKEN=***#main"),
        ("ada:secret@host:team.git", "host:team.git"),
        ("ada:p@ss/w@host:team.git", "host:team.git"),
        ("git+ssh://ada:secret@host/team.git", "git+ssh://host/team.git"),
        ("unable to access 'http://ada:p@ss@host:1/x.git/': no", "unable to access 'http://host:1/x.git/': no"),
        ("https://us@er@host/x.git", "https://host/x.git"),
        ("ada:secret@host:a.git is not there", "host:a.git is not there"),
    ],
)  # fmt: skip
def test_a_login_is_hidden(url: str, public: str) -> None:
    assert hide_login(url) == public


@pytest.mark.parametrize(
    "text",
    [
        "git@host:team/models.git", "https://host.example:8080/a@b/x.git", "https://host.example/@scope/x.git", "file:///a@b/c",
        "http://[::1]:8080/a@b.git", "http://localhost:80/~ada@home/x.git", "/srv/models.git", "ada@example.com",
        "https://host/new?merge_request%5Bsource_branch%5D=topic", "C:/models.git", "iris@1: ada@example.com saved it",
        "ssh: connect to host 127.0.0.1 port 1: Connection refused",
    ],
)  # fmt: skip
def test_what_holds_no_login_stays_as_it_is(text: str) -> None:
    assert hide_login(text) == text
    assert hide_password(text) == text


def test_the_account_of_an_ssh_url_stays_where_it_names_a_place() -> None:
    assert hide_password("ssh://git@host/a.git") == "ssh://git@host/a.git"
    assert hide_password("ssh://ada:p@s/s@host:22/a.git") == "ssh://ada@host:22/a.git"
    assert hide_password("https://ada:p@s/s@host/a.git") == "https://host/a.git"


PASSWORDS = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S"]) | st.sampled_from("@/:?#."), min_size=1, max_size=12
).map(lambda text: f"Qz{text}zQ")


@given(PASSWORDS, st.sampled_from(["https://ada:{}@host.example/x.git", "ssh://ada:{}@host:22/x", "ada:{}@host:x.git"]))
def test_no_character_of_a_password_is_shown(password: str, url: str) -> None:
    for shown in (hide_login(url.format(password)), hide_password(url.format(password))):
        assert "Qz" not in shown
        assert "zQ" not in shown


@pytest.mark.parametrize(
    "url",
    ["https://ada:SECp@ss@host.example/x.git", "https://ada:SEC/x@host.example/x.git", "https://ada:SEC",
     "ssh://ada:SEC@x/y@host.example/x", "http://a@da:SEC@host/x"],
)  # fmt: skip
def test_a_login_that_git_would_read_otherwise_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="has a sign in it that ends one") as caught:
        check_login(url)
    assert "SEC" not in caught.value.message
    assert "%40" in str(caught.value.hint)


@pytest.mark.parametrize(
    "url",
    ["https://ada:p%40s%2Fs@host/x.git", "https://host:8080/a@b.git", "https://ada:pw@host.example/@scope/x.git",
     "https://token@host/x", "git@host:x.git", "/srv/a@b:c/d.git", "origin", "file:///a:b/c@d", "http://ada:s@[::1]:80/x",
     "http://[::1]:8080/a@b", "ssh://git@host:22/x"],
)  # fmt: skip
def test_every_other_address_is_taken(url: str) -> None:
    check_login(url)
