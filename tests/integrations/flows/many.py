"""Eight tasks at once, of which one may fail; what they saved is loaded in every way that there is."""

import json
import os
import subprocess
import time
from pathlib import Path

from metaflow import FlowSpec, Parameter, current, step

from gitreg import model


class Many(FlowSpec):
    base = Parameter("base", default="base@production")

    @step
    def start(self):
        self.numbers = list(range(8))
        self.next(self.train, foreach="numbers")

    @model(load="base")
    @step
    def train(self):
        assert Path(current.model.loaded["base"], "base.txt").read_text() == "base"
        Path(f"{self.input}.txt").write_text(str(self.input))
        self.saved = current.model.save(f"{self.input}.txt", metadata={"number": self.input})
        self.copied = dict(self.saved)
        if self.input == 5 and "FAIL" in os.environ:
            wait_for_the_others()
            raise ValueError("five")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.all = [each.saved for each in inputs]
        self.copied = inputs[3].copied
        self.first, self.third = self.all[1], json.loads(json.dumps(self.all[3]))
        self.next(self.end)

    @model(load=["first", ("third", "here"), "base@production", "copied"], temp_dir_root="temporary")
    @step
    def end(self):
        loaded = current.model.loaded
        assert self.copied["version"] is None
        assert Path(loaded["first"], "1.txt").read_text() == "1"
        assert Path(loaded["third"], "3.txt").read_text() == Path("here", "3.txt").read_text() == "3"
        assert Path(loaded["copied"], "3.txt").read_text() == "3"
        assert loaded.info["copied"]["reference"] == loaded.info["third"]["reference"] == self.all[3]["reference"]
        assert loaded.info["third"]["metadata"] == {"number": 3}
        assert Path(loaded["first"]).parent == Path("temporary").absolute()
        Path(loaded["first"], "1.txt").write_text("mine")
        again = current.model.load(self.first)
        assert Path(again, "1.txt").read_text() == "1"
        assert Path(loaded["first"], "1.txt").read_text() == "mine"
        self.numbers_of_versions = [each["number"] for each in self.all]
        print("ALL", json.dumps(self.all))


def wait_for_the_others():
    """Metaflow ends those that still run when one fails."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(tags()) < 7:
        time.sleep(0.2)


def tags():
    command = ["git", "for-each-ref", "refs/tags/models/Many@*"]
    folder = os.environ["GITREG_REGISTRY"].partition("#")[0]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.splitlines()


if __name__ == "__main__":
    Many()
