"""The Python interface of gitreg: a registry, and small typed handles for its models, versions, artifacts and runs."""

import os

if os.environ.get("GITREG_RUN"):
    import gitreg.sdk.runs.attach  # noqa: F401 - a run started this process: `current_run.active_run` returns it
