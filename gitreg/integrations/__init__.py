"""The integrations: ``@model`` and ``current`` for steps of Metaflow, steps of gitreg and plain functions."""

from gitreg.integrations.metaflow.packaging import use_packaged

use_packaged()
