"""A flow of Metaflow whose first step saves a path so many times, and says how long the saving took; run by runs.py."""

import json
import os
import time
from pathlib import Path

from metaflow import FlowSpec, current, step

if os.environ["BENCH_MODEL"] == "gitreg":
    from gitreg import model
elif os.environ["BENCH_MODEL"] == "metaflow":
    from metaflow import model
else:

    def model(function):
        return function


class Saves(FlowSpec):
    @model
    @step
    def start(self):
        took = 0.0
        path, times = Path(os.environ["BENCH_PATH"]), int(os.environ["BENCH_TIMES"])
        self.saved = []
        for number in range(times):
            if times > 1:
                path.write_bytes(os.urandom(256 << 10))
            begun = time.perf_counter()
            self.saved.append(current.model.save(str(path), label="iris", metadata={"number": number}))
            took += time.perf_counter() - begun
        Path(os.environ["BENCH_REPORT"]).write_text(json.dumps(took))
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Saves()
