"""A model that can run code is loaded by name and by call, where that is allowed."""

import os
from pathlib import Path

from metaflow import FlowSpec, current, step

from gitreg import Refused, model

ALLOWED = "ALLOWED" in os.environ


class Unsafe(FlowSpec):
    @model
    @step
    def start(self):
        try:
            current.model.load("evil@1")
        except Refused as error:
            print("CALLED", error.hint)
        assert Path(current.model.load("evil@1", unsafe_code=True), "model.pkl").exists()
        self.next(self.end)

    @model(load="evil@1", unsafe_code=ALLOWED)
    @step
    def end(self):
        assert Path(current.model.loaded["evil@1"], "model.pkl").exists()
        print("LOADED")


if __name__ == "__main__":
    Unsafe()
