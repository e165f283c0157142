"""What Gitea does with a push to ``refs/for/main``: Git's hook proc-receive (githooks(5)), run in the hub's folder.

It opens a pull request for each topic: the commit at ``refs/pull/N/head``, and what was said in ``pulls.json``.
"""

import json
import subprocess
import sys
from pathlib import Path


def read_line() -> bytes | None:
    """Read a packet; None is where a list of them ends."""
    length = int(sys.stdin.buffer.read(4), 16)
    return sys.stdin.buffer.read(length - 4).rstrip(b"\n") if length else None


def read_lines() -> list[str]:
    return [line.decode() for line in iter(read_line, None)]


def write_lines(*lines: str) -> None:
    for line in lines:
        data = line.encode()
        sys.stdout.buffer.write(b"%04x" % (len(data) + 4) + data)
    sys.stdout.buffer.write(b"0000")
    sys.stdout.buffer.flush()


def git(*arguments: str) -> int:
    return subprocess.run(["git", *arguments], check=False, capture_output=True).returncode


def receive(new: str, ref: str, options: dict[str, str]) -> list[str]:
    notes = Path("pulls.json")
    pulls = json.loads(notes.read_text()) if notes.exists() else []
    if "topic" not in options:
        return [f"ng {ref} topic-branch is not set"]
    number = next((at for at, each in enumerate(pulls, 1) if each["topic"] == options["topic"]), None)
    if number is None:
        pulls.append(options)
        number = len(pulls)
    elif git("merge-base", "--is-ancestor", f"refs/pull/{number}/head", new) and "force-push" not in options:
        return [f"ng {ref} request `force-push` push option"]
    head = f"refs/pull/{number}/head"
    git("update-ref", head, new)
    notes.write_text(json.dumps(pulls))
    print(f"Visit the existing pull request:\n  https://gitea.example.com/team/models/pulls/{number}", file=sys.stderr)
    return [f"ok {ref}", f"option refname {head}"]


def main() -> None:
    read_lines()
    write_lines("version=1\0push-options")
    commands = read_lines()
    options = dict(line.partition("=")[::2] for line in read_lines())
    results = []
    for command in commands:
        _, new, ref = command.split(" ")
        results += receive(new, ref, options)
    write_lines(*results)


if __name__ == "__main__":
    main()
