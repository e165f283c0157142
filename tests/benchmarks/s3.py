"""The store in S3 beside the clients that only move bytes: a radosgw of our own, on loopback, all in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.benchmarks.comparison import Comparison, Took
from tests.benchmarks.keepers import environment_with
from tests.benchmarks.processes import Failed, run
from tests.benchmarks.subject import Subject
from tests.benchmarks.weights import MEBI, write_noise

CLIENTS = {"boto3": "boto3", "s3fs": "s3fs>=2025.3", "obstore": "obstore"}
_SCRIPT = Path(__file__).with_name("s3_client.py")
_BUCKET = "benchmark"


def measure_s3(work: Path, env: Mapping[str, str], environments: Path, mebibytes: int, rounds: int) -> None:
    """Print two tables, uploading and downloading, whose bound is the fastest client of the same round."""
    try:
        programs = {name: environment_with(environments / name, [what], env) for name, what in CLIENTS.items()}
        with _server(work / "server") as access:
            _measure(work, {**env, **access}, programs, mebibytes, rounds)
    except Failed as failure:
        print(f"\nS3: no figures, {failure}")


def _measure(work: Path, env: Mapping[str, str], programs: Mapping[str, Path], mebibytes: int, rounds: int) -> None:
    boto3 = programs["boto3"] / "python"
    run([boto3, _SCRIPT, "make", _BUCKET], env)
    source, made = work / "source", work / "made"
    write_noise(source / "model.safetensors", mebibytes * MEBI)
    saving, loading = Comparison(source, work / "copy", env), Comparison(source, work / "copy", env)

    def transfer(client: str, verb: str) -> Took:
        path, report = (source if verb == "up" else made) / "model.safetensors", work / "report"
        made.mkdir(exist_ok=True)
        cost = run([programs[client] / "python", _SCRIPT, client, verb, _BUCKET, client, path, report], env)
        return Took(float(report.read_text()), cost.memory)

    for number in range(-1, rounds):
        for each in (saving, loading):
            each.start_round(number)
        # An address of its own for each round: the server removes what was deleted only later.
        subject = Subject(work / "subject", env, url=f"s3://{_BUCKET}/round{number + 1}")
        load: Callable[[], Took] = partial(subject.load, made)
        for client in CLIENTS:
            if saving.measure(f"{client}, up", partial(transfer, client, "up"), bounds=True):
                loading.measure(f"{client}, down", partial(transfer, client, "down"), gives=made, bounds=True)
        if saving.measure("gitreg save (SDK)", partial(subject.save, source)):
            saving.measure("gitreg save again, unchanged (SDK)", partial(subject.save, source))
            subject.forget()
            loading.measure("gitreg load DEST, cold cache (SDK)", load, gives=made)
            subject.forget()
            loading.measure("gitreg load, cold cache (SDK)", subject.load)
        subject.remove()
        run([boto3, _SCRIPT, "empty", _BUCKET], env)
    saving.print(f"{mebibytes} MiB into S3: medians of {rounds}; the bound is the fastest client's")
    loading.print(f"{mebibytes} MiB out of S3: medians of {rounds}; the bound is the fastest client's")
    shutil.rmtree(source)


@contextmanager
def _server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server, and give the variables by which the clients find it."""
    from tests.servers import radosgw
    from tests.servers.running import NotInstalled, Programs

    folder.mkdir()
    programs = Programs(folder)
    try:
        known = radosgw.start(folder, programs)
    except NotInstalled as missing:
        raise Failed(str(missing)) from missing
    else:
        yield {
            "AWS_ENDPOINT_URL": known["endpoint"],
            "AWS_ACCESS_KEY_ID": known["key"],
            "AWS_SECRET_ACCESS_KEY": known["secret"],
            "AWS_DEFAULT_REGION": known["region"],
            "AWS_REGION": known["region"],
        }
    finally:
        programs.stop()
