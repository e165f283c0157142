"""The options of a model's card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gitreg.documents.types import CARD_FIELDS

Function = TypeVar("Function", bound=Callable[..., Any])

_HELP = {
    "description": "What it does.",
    "license": "Under what terms it may be used.",
    "audience": "Who it is for.",
    "use_cases": "What it is meant to be used for.",
    "limitations": "What it cannot do.",
    "trade_offs": "What was given up for what.",
    "ethics": "What harm it could do, and to whom.",
}


def card_options(function: Function) -> Function:
    """Add an option for each field of the card."""
    for field in reversed(CARD_FIELDS):
        function = click.option(f"--{field.replace('_', '-')}", field, metavar="TEXT", help=_HELP[field])(function)
    return function
