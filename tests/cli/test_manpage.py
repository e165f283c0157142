from __future__ import annotations

from importlib.resources import files

from gitreg.cli.manpage import manpage


def test_the_manual_page_of_the_package_is_the_one_that_the_commands_make() -> None:
    assert (files("gitreg") / "cli" / "git-reg.1").read_text() == manpage()
    assert manpage().count("debug") == 1
