"""The trace of what gitreg does."""

from __future__ import annotations

import logging

import pytest

from gitreg.tracing import is_traced, timed, trace


def test_a_line_is_logged_only_where_somebody_reads_the_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="gitreg")  # a test before may have asked for --debug in this process
    trace("unheard")
    assert not is_traced()
    with caplog.at_level(logging.INFO, logger="gitreg"):
        assert is_traced()
        trace("100% of it")
    assert caplog.messages == ["100% of it"]


def test_what_fails_is_timed_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="gitreg"), pytest.raises(ValueError, match="bad"), timed("the work"):
        raise ValueError("bad")
    assert caplog.messages[0].startswith("the work  (0.")
