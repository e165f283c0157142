"""A flow of Metaflow that saves a model or loads it, and says how many seconds that took; run by keepers.py."""

import json
import time
from pathlib import Path

from metaflow import FlowSpec, Parameter, current, model, step


class KeepModel(FlowSpec):
    action = Parameter("action")
    path = Parameter("path")
    report = Parameter("report")
    kept = Parameter("kept")
    storage_format = Parameter("storage_format")

    @model
    @step
    def start(self):
        start = time.perf_counter()
        if self.action == "save":
            self.kept_model = current.model.save(self.path, storage_format=self.storage_format)
        else:
            current.model.load(json.loads(Path(self.kept).read_text()), path=self.path)
        Path(self.report).write_text(json.dumps(time.perf_counter() - start))
        if self.action == "save":
            Path(self.kept).write_text(json.dumps(self.kept_model))
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    KeepModel()
