"""A pipeline whose first step saves a path so many times, by gitreg or by ZenML; run by runs.py."""

import json
import os
import time
from pathlib import Path

if os.environ["BENCH_MODEL"] == "gitreg":
    from gitreg import current, model, pipeline, step

    def save(path, number):
        current.model.save(path, label="iris", metadata={"number": number})

else:
    from zenml import Model, pipeline, save_artifact, step
    from zenml.enums import ArtifactType

    def model(function):
        return function

    def save(path, number):
        save_artifact(path, f"iris_{number}", artifact_type=ArtifactType.MODEL, user_metadata={"number": number})


@step
@model
def start() -> None:
    took = 0.0
    path, times = Path(os.environ["BENCH_PATH"]), int(os.environ["BENCH_TIMES"])
    for number in range(times):
        if times > 1:
            path.write_bytes(os.urandom(256 << 10))
        begun = time.perf_counter()
        save(path, number)
        took += time.perf_counter() - begun
    Path(os.environ["BENCH_REPORT"]).write_text(json.dumps(took))


@step
def end() -> None:
    pass


def whole() -> None:
    start()
    end()


if __name__ == "__main__":
    if os.environ["BENCH_MODEL"] == "gitreg":
        pipeline(whole)()
    else:
        pipeline(model=Model(name="iris"), enable_cache=False)(whole)()
