"""``@model`` and ``current``: models saved and loaded in Metaflow's steps, in our own, and in plain functions."""

from gitreg.integrations.packaging import use_packaged

use_packaged()
