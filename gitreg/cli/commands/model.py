"""``gitreg model``."""

from __future__ import annotations

from gitreg.cli.group import LazyGroup

_HERE = "gitreg.cli.commands"

command = LazyGroup(
    "model",
    help="Register, describe and delete models.",
    lazy={
        "register": (f"{_HERE}.model_register", "Register a model."),
        "list": (f"{_HERE}.model_list", "List models."),
        "show": (f"{_HERE}.model_show", "Show a model's card and versions."),
        "update": (f"{_HERE}.model_update", "Change a model's card."),
        "delete": (f"{_HERE}.model_delete", "Delete a model with its versions."),
        "version": (f"{_HERE}.model_version", "List, show, update, delete and undelete versions."),
    },
)
