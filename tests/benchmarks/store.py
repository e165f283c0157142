"""The weight store beside cp, sha256sum and its peers, ``python -m tests.benchmarks store [options]``.

Every action has its own ``cp -r`` of the same files just before, and its ratio is to that: a busy neighbour slows both.
All sources, stores and peers' repositories are in the page cache when they are read, as those of ``cp`` are. What is
loaded is held against the source. Rows marked SDK have the seconds of the call inside a process of its own, as those of
Metaflow's ``@model`` and of S3's clients are, all others the seconds of whole processes; memory is always the peak of
the largest process. The bound is the slower of that ``cp -r`` and of the faster sha256 in the round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.comparison import Comparison, Took
from tests.benchmarks.keepers import PEERS, Peer
from tests.benchmarks.processes import Failed, environment, run
from tests.benchmarks.s3 import measure_s3
from tests.benchmarks.subject import Subject
from tests.benchmarks.weights import MEBI, change_head, llama, variants, write_many, write_noise, write_safetensors

Installed = Mapping[type[Peer], Path]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks store")
    parser.add_argument("--mebibytes", type=int, default=2048, help="the size of the big file")
    parser.add_argument("--rounds", type=int, default=3, help="besides one that warms up")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it runs")
    parser.add_argument(
        "--peers", type=Path, metavar="FOLDER", help="measure the peers too; their environments lie here"
    )
    parser.add_argument("--s3", action="store_true", help="measure against S3 too: radosgw here, clients in --peers")
    parser.add_argument("--folder", type=Path, help="where to write, by default a folder for temporary files")
    parser.add_argument("--only", choices=["files", "changes", "s3"], help="only this part")
    options = parser.parse_args()
    if options.s3 and not options.peers:
        parser.error("--s3 needs --peers FOLDER, where its clients are installed")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        work = Path(folder).resolve()
        env = environment(work)
        peers = _install(options.peers.resolve(), env) if options.peers and options.only != "s3" else {}
        if options.only in (None, "files"):
            _measure_files(work, env, options, peers)
        if options.only in (None, "changes"):
            _measure_changes(work, env, 4 if options.quick else 15, 1024 if options.quick else 1536, peers)
        if options.s3 and options.only in (None, "s3"):
            measure_s3(work, env, options.peers.resolve(), 64 if options.quick else 512, options.rounds)


def _install(folder: Path, env: Mapping[str, str]) -> Installed:
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[type[Peer], Path] = {}
    for peer in PEERS:
        try:
            found[peer] = peer.install(folder, env)
            print(f"{peer.name}: {peer.settings}")
        except Failed as failure:
            print(f"{peer.name}: no figures, {failure}")
    return found


def _measure_files(work: Path, env: Mapping[str, str], options: argparse.Namespace, peers: Installed) -> None:
    source = work / "source"
    big = 128 if options.quick else options.mebibytes
    write_noise(source / "model.safetensors", big * MEBI)
    _measure_source(f"one file of {big} MiB", source, work, env, options.rounds, peers)
    for count, kibibytes in ((1_000, 100), (10_000, 4)):
        shutil.rmtree(source)
        write_many(source, count // 10 if options.quick else count, kibibytes * 1024)
        title = f"{count // 10 if options.quick else count:,} files of {kibibytes} KiB"
        _measure_source(title, source, work, env, options.rounds, peers)
    shutil.rmtree(source)


def _measure_source(
    title: str, source: Path, work: Path, env: Mapping[str, str], rounds: int, peers: Installed
) -> None:
    comparison = Comparison(source, work / "copy", env)
    for number in range(-1, rounds):
        comparison.start_round(number)
        _measure_coreutils(comparison, source, work, env)
        _measure_gitreg(comparison, source, work, env)
        for peer, folder in peers.items():
            _measure_peer(comparison, peer, folder, source, work, env)
    comparison.print(f"{title}: medians of {rounds}")
    try:
        subject = Subject(work / "subject", env)
        first, again = subject.read_by_saving(source), subject.read_by_saving(source)
        subject.remove()
        print(f"bytes read from the source: saving {first:,}, saving again unchanged {again:,}")
    except Failed as failure:
        print(f"bytes read from the source: {failure}")


def _measure_coreutils(comparison: Comparison, source: Path, work: Path, env: Mapping[str, str]) -> None:
    listed = "\0".join(str(path) for path in source.rglob("*") if path.is_file()).encode()
    made = work / "made"

    def copy_and_sync() -> Took:
        return Took.whole(run(["cp", "-r", source, made], env), run(["sync", "--file-system", made], env))

    comparison.measure("cp -r", lambda: Took.whole(run(["cp", "-r", source, made], env)), gives=made)
    comparison.measure("cp -r, and sync", copy_and_sync, gives=made)
    for name, hashing in (("sha256sum", ["sha256sum"]), ("openssl sha256", ["openssl", "dgst", "-sha256"])):
        command = ["xargs", "-0", *hashing]
        comparison.measure(name, lambda: Took.whole(run(command, env, given=listed)), bounds=True)  # noqa: B023 - at once


def _measure_gitreg(comparison: Comparison, source: Path, work: Path, env: Mapping[str, str]) -> None:
    made = work / "made"
    subject = Subject(work / "subject", env)
    comparison.measure("gitreg save (SDK)", lambda: subject.save(source))
    comparison.measure("gitreg save again, unchanged (SDK)", lambda: subject.save(source))
    subject.forget()
    comparison.measure("gitreg load DEST, cold cache (SDK)", lambda: subject.load(made), gives=made)
    subject.forget()
    comparison.measure("gitreg load, cold cache (SDK)", subject.load)
    comparison.measure("gitreg load, warm cache (SDK)", subject.load)
    run(["diff", "-r", "--brief", source, subject.given], env)
    comparison.measure("gitreg load DEST, warm cache (SDK)", lambda: subject.load(made), gives=made)
    comparison.measure("gitreg load, warm cache", subject.load_by_program)
    comparison.measure("gitreg load DEST, warm cache", lambda: subject.load_by_program(made), gives=made)
    subject.forget()
    comparison.measure("gitreg load DEST, cold cache", lambda: subject.load_by_program(made), gives=made)
    subject.remove()
    subject = Subject(work / "subject", env)
    comparison.measure("gitreg save", lambda: subject.save_by_program(source))
    comparison.measure("gitreg save again, unchanged", lambda: subject.save_by_program(source))
    subject.remove()


def _measure_peer(
    comparison: Comparison, peer: type[Peer], folder: Path, source: Path, work: Path, env: Mapping[str, str]
) -> None:
    keeper = peer(work / "peer", folder, env)
    try:
        keeper.place(source)
        if comparison.measure(f"{peer.name}, saving", keeper.save):
            comparison.measure(f"{peer.name}, loading", keeper.load, gives=keeper.loaded)
    finally:
        keeper.remove()


def _measure_changes(work: Path, env: Mapping[str, str], layers: int, hidden: int, peers: Installed) -> None:
    tensors = llama(layers, hidden)
    base = work / "base" / "model.safetensors"
    write_safetensors(base, tensors)
    size = base.stat().st_size
    title = f"a safetensors of {size / MEBI:,.0f} MiB, {len(tensors)} tensors, and what is stored of"
    print(f"\n{title:64}{'% new':>9}{'% stored':>9}")
    subject = Subject(work / "subject", env)
    subject.save(base.parent)
    stored = subject.stored()
    print(f"{'gitreg: the model itself':64}{100:9.2f}{100 * stored / size:9.2f}")
    for variant in variants(base, tensors, work / "variant"):
        subject.save(variant.folder)
        before, stored = stored, subject.stored()
        share = 100 * (stored - before) / size
        print(f"{'gitreg: ' + variant.what:64}{100 * variant.changed:9.2f}{share:9.2f}", flush=True)
    subject.remove()
    if peers:
        changed = work / "changed"
        changed.mkdir()
        change_head(base, tensors, changed)
    for peer, folder in peers.items():
        name = f"{peer.name}: the last 12% of its bytes"
        keeper = peer(work / "peer", folder, env)
        try:
            keeper.place(base.parent)
            keeper.save()
            before = keeper.stored()
            keeper.place(changed)
            keeper.save()
            print(f"{name:64}{12:9.2f}{100 * (keeper.stored() - before) / size:9.2f}", flush=True)
        except Failed as failure:
            print(f"{name:64}{failure}", flush=True)
        finally:
            keeper.remove()
    os.sync()


if __name__ == "__main__":
    main()
