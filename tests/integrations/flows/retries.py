"""Tasks that fail once, each in another way, and one that saves two hundred checkpoints."""

import os
import signal
import threading
from pathlib import Path

from metaflow import FlowSpec, catch, current, retry, step

from gitreg import model


class Retries(FlowSpec):
    @retry(times=1, minutes_between_retries=0)
    @model
    @step
    def start(self):
        Path("weights.txt").write_text("raised")
        self.saved = current.model.save("weights.txt", label="raised", metadata={"attempt": current.retry_count})
        if current.retry_count == 0:
            raise ValueError("the first attempt")
        self.next(self.killed)

    @model
    @retry(times=1, minutes_between_retries=0)
    @step
    def killed(self):
        self.saved = current.model.save("weights.txt", label="killed")
        if current.retry_count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.next(self.unkept)

    @retry(times=1, minutes_between_retries=0)
    @model
    @step
    def unkept(self):
        """What the first attempt saved is published when its artifacts turn out to be none that can be kept."""
        self.same = current.model.save("weights.txt", label="same")
        self.other = current.model.save("weights.txt", label="other", metadata={"attempt": current.retry_count})
        self.bad = threading.Lock() if current.retry_count == 0 else None
        self.next(self.caught)

    @catch(var="failure")
    @retry(times=1, minutes_between_retries=0)
    @model
    @step
    def caught(self):
        current.model.save("weights.txt", label="caught")
        raise ValueError("each attempt")
        self.next(self.checkpoints)

    @model
    @step
    def checkpoints(self):
        self.saved = []
        for epoch in range(200):
            Path("weights.txt").write_text(f"epoch {epoch}")
            self.saved.append(current.model.save("weights.txt", label="net", metadata={"epoch": epoch}))
        self.next(self.nothing)

    @model
    @step
    def nothing(self):
        self.next(self.end)

    @model(load=["same", "other"])
    @step
    def end(self):
        assert self.failure is not None
        assert [each["number"] for each in self.saved] == list(range(1, 201))
        assert current.model.loaded.info["same"]["reference"] == "same@1"
        assert current.model.loaded.info["other"]["reference"] == "other@2"


if __name__ == "__main__":
    Retries()
