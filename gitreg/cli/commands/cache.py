"""``gitreg cache``."""

from __future__ import annotations

from gitreg.cli.group import LazyGroup

_HERE = "gitreg.cli.commands"

command = LazyGroup(
    "cache",
    default="list",
    help="List, prune and verify the weights that this machine keeps for all your registries.",
    lazy={
        "list": (f"{_HERE}.cache_list", "List cached files."),
        "prune": (f"{_HERE}.cache_prune", "Remove the least recently used files."),
        "verify": (f"{_HERE}.cache_verify", "Hash all files again and remove damaged ones."),
    },
)
