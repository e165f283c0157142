"""``gitreg cache``."""

from __future__ import annotations

from gitreg.cli.group import LazyGroup

_HERE = "gitreg.cli.commands"

command = LazyGroup(
    "cache",
    help="List, prune and verify what this machine keeps of weights, for all registries of its user.",
    lazy={
        "list": (f"{_HERE}.cache_list", "List what is kept."),
        "prune": (f"{_HERE}.cache_prune", "Remove what was not used for longest."),
        "verify": (f"{_HERE}.cache_verify", "Hash all of it again, and remove what is damaged."),
    },
)
