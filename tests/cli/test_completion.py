"""Completion at every argument, in the shells themselves where they are installed."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from gitreg.cli import completion
from gitreg.cli.group import Group
from gitreg.cli.main import cli
from tests.cli.test_json_errors import commands
from tests.system.world import Person, make_person, write

FREE = {
    "14d|DATE", "CLAIM", "DURATION", "K=V", "N", "NAME=PATH", "PERCENT", "SIZE", "SPEC", "TEXT", "model register: NAME",
    "init: --prefix", "init: PATH", "undelete: MODEL@VERSION", "model version undelete: VERSION",
}  # fmt: skip
"""The values that a user makes up: words of their own, numbers, times; nothing can be offered."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A registry with a name of each kind."""
    where = tmp_path_factory.mktemp("completion")
    ada = make_person(where).with_env(GITREG_REGISTRY=str(where / "registry"))
    ada.gitreg("init", where / "registry", "--store", where / "store")
    ada.git("-C", where / "registry", "remote", "add", "origin", where / "bare")
    weights = write(where / "weights", {"model.bin": "first", "vocab.json": "{}"})
    ada.gitreg("save", "iris", weights, "--metadata", "auc=0.9", "--tag", "old", "--stage", "staging")
    ada.gitreg("save", "iris@1.1", weights / "model.bin", "--metadata", "loss=0.1")
    ada.gitreg("alias", "set", "iris@1", "champion")
    ada.gitreg("model", "register", "team/other", "--tag", "theirs", "--metadata", "owner=eve")
    ada.gitreg("artifact", "save", "data", weights)
    ada.gitreg("run", "--name", "monday", "--pipeline", "train", "--", "gitreg", "artifact", "save", "made", weights)
    failing = ("sh", "-c", "gitreg artifact save lost weights; exit 3")
    ada.run("gitreg", "run", "--name", "friday", "--pipeline", "train", "--", *failing)
    return ada


def answer(person: Person, line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the words, or the kind of path, that complete a line."""
    monkeypatch.chdir(person.here)
    for name, value in person.env.items():
        monkeypatch.setenv(name, value)
    lines = [each.split("\t") for each in completion.answer.answer(f"gitreg {line}").splitlines()]
    return [word if kind == "plain" else kind for kind, word, _ in lines]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("prom", ["promote"]),
        ("model version sh", ["show"]),
        ("show --js", ["--json"]),
        ("show ", ["iris@", "team/other@"]),
        ("show iris@", ["iris@staging", "iris@champion", "iris@latest", "iris@1", "iris@1.1"]),
        ("promote iris@1 p", ["production"]),
        ("list iris@", []),
        ("list ir", ["iris"]),
        ("list iris sta", ["stage="]),
        ("list stage=s", ["stage=startswith:", "stage=staging"]),
        ("list iris stage=oneof:s", ["stage=oneof:staging"]),
        ("list iris tag=o", ["tag=oneof:", "tag=old"]),
        ("list iris yanked=t", ["yanked=true"]),
        ("list iris metadata.", ["metadata.auc=", "metadata.loss="]),
        ("list iris metadata.auc=g", ["metadata.auc=gt:", "metadata.auc=gte:"]),
        ("model list metadata.", ["metadata.owner="]),
        ("list iris --sort metadata.a", ["metadata.auc"]),
        ("list iris --sort desc:met", ["desc:metadata", "desc:metadata.auc", "desc:metadata.loss"]),
        ("list --sort na", ["name"]),
        ("list --fields la", ["latest"]),
        ("list iris --fields version,metadata.", ["version,metadata.auc", "version,metadata.loss"]),
        ("show iris --fields version,ver", []),
        ("model show iris --fields la", ["latest"]),
        ("log --fields su", ["subject"]),
        ("gc --fields k", ["key"]),
        ("list iris -o j", ["json", "jsonl"]),
        ("cat iris@1:", ["iris@1:model.bin", "iris@1:vocab.json"]),
        ("cat ir", ["iris@"]),
        ("cat iris@1:vocab.json --artifact m", ["model"]),
        ("load iris@1 --file v", ["vocab.json"]),
        ("load iris@1 --artifact ", ["model"]),
        ("show iris --at m", ["main", "models/iris@1", "models/iris@1.1"]),
        ("check --base m", ["main"]),
        ("artifact show d", ["data"]),
        ("artifact show data@", ["data@1"]),
        ("artifact link data iris@1.", ["iris@1.1"]),
        ("save iris weights --input d", ["data"]),
        ("save iris weights --stage p", ["production"]),
        ("save iris weights --tag o", ["old"]),
        ("save iris weights --metadata ", ["auc=", "loss="]),
        ("save iris weights --batch x", ["file"]),
        ("annotate iris@1 --remove-metadata a", ["auc"]),
        ("annotate iris@1 --remove-tag ", ["old"]),
        ("list iris au", ["auc="]),
        ("list iris auc=gt", ["auc=gt:", "auc=gte:"]),
        ("list iris --sort au", ["auc"]),
        ("list iris --sort desc:au", ["desc:auc"]),
        ("rollback iris@", ["iris@staging", "iris@production"]),
        ("rollback iris@p", ["iris@production"]),
        ("alias delete iris@", ["iris@champion"]),
        ("model version show iris@1.", ["iris@1.1"]),
        ("show models:/ir", ["models:/iris@"]),
        ("show models:/iris@ch", ["models:/iris@champion"]),
        ("--repo ../bi", ["dir"]),
        ("store remove ", []),
        ("alias --json ir", ["iris"]),
        ("alias -o js", ["json", "jsonl"]),
        ("annotate iris@1 --tag ", ["old"]),
        ("model update team/other --remove-tag ", ["theirs"]),
        ("alias delete iris ch", ["champion"]),
        ("runs show train/m", ["train/monday"]),
        ("runs list t", ["train"]),
        ("seal ", ["train/friday"]),
        ("lineage ma", ["made"]),
        ("model version show iris 1", ["1", "1.1"]),
        ("config set ", ["description", "remote", "store", "stages"]),
        ("config set remote ", ["origin"]),
        ("remote set ", ["origin"]),
        ("init --remote ", ["origin"]),
        ("edit models/iris", ["models/iris/README.md", "models/iris/model.yaml"]),
        ("help prom", ["promotion", "promote"]),
        ("help model version sh", ["show"]),
        ("completion b", ["bash"]),
        ("ci git", ["github", "gitlab"]),
        ("clone ", ["file"]),
        ("show nobody@", ["nobody@latest"]),
        ("load iris@nothing --file ", []),
    ],
)
def test_a_word_is_completed_by_what_the_registry_has(
    registry: Person, line: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(registry, line, monkeypatch) == expected


def groups(group: click.Group = cli, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Group]]:
    """Yield every group of commands but that of git's hooks, by its words."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, Group) and not command.hidden:
            yield " ".join((*words, name)), command
            yield from groups(command, (*words, name))


GROUPS = dict(groups())


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_offers_its_commands_and_the_options_of_the_one_that_runs_without_a_name(
    registry: Person, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GROUPS[name]
    names = group.list_commands(click.Context(group))
    assert answer(registry, f"{name} ", monkeypatch) == names
    for each in names:
        assert each in answer(registry, f"{name} {each[:2]}", monkeypatch)
    of_default = [] if group.default is None else answer(registry, f"{name} {group.default} -", monkeypatch)
    offered = answer(registry, f"{name} -", monkeypatch)
    assert set(offered) >= set(of_default)
    assert len(set(offered)) == len(offered)


def test_only_stores_of_copies_are_offered_for_removal(
    registry: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = registry.with_env(GITREG_REGISTRY=str(tmp_path / "r"))
    here.gitreg("init", tmp_path / "r", "--store", tmp_path / "main")
    here.gitreg("store", "add", tmp_path / "copies")
    assert answer(here, "store remove ", monkeypatch) == [str(tmp_path / "copies")]


def test_the_stores_of_the_registry_are_offered(registry: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    (store,) = answer(registry, "store copy --from ", monkeypatch)
    assert store == str(registry.here / "store")


def test_outside_a_registry_nothing_is_offered(
    registry: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITREG_REGISTRY", raising=False)
    for line in ("show ", "list --fields metadata.", "seal ", "cat a@1:"):
        assert answer(registry.with_env(GITREG_REGISTRY=str(tmp_path)), line, monkeypatch) == []


def test_every_argument_has_an_answer_or_is_the_users_own_word() -> None:
    for name, command in commands(cli):
        for parameter in command.params:
            if name.startswith("hook ") or _completes(parameter):
                continue
            metavar = (parameter.metavar or parameter.human_readable_name).strip("[].")
            own = {metavar, f"{name}: {metavar}", f"{name}: {parameter.opts[0]}"}
            assert own & FREE, f"{name} {parameter.opts}: {metavar}"


def _completes(parameter: click.Parameter) -> bool:
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count):
        return True
    own: Any = parameter._custom_shell_complete
    return own is not None or isinstance(parameter.type, click.Choice | click.Path | click.types.IntParamType)


def test_a_name_that_would_act_in_the_shell_or_the_terminal_is_not_offered(
    registry: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = registry.with_env(GITREG_REGISTRY=str(tmp_path / "r"))
    there.gitreg("init", tmp_path / "r")
    for name in ("$(touch pwned)", "a;b", "fine one"):
        there.gitreg("model", "register", name)
    assert answer(there, "rollback ", monkeypatch) == ["fine one"]


# -- in shells ---------------------------------------------------------------------------------------------------------

CASES = [
    ("gitreg prom", "gitreg promote "),
    ("gitreg promote iris@1 pr", "gitreg promote iris@1 production "),
    ("gitreg show ir", "gitreg show iris@"),
    ("gitreg show iris@ch", "gitreg show iris@champion "),
    ("gitreg cat iris@1:vo", "gitreg cat iris@1:vocab.json "),
    ("gitreg list iris yanked=tr", "gitreg list iris yanked=true "),
    ("gitreg list iris metadata.auc=gte", "gitreg list iris metadata.auc=gte:"),
    ("gitreg list iris --sort desc:metadata.a", "gitreg list iris --sort desc:metadata.auc "),
    ("git-reg rollback iris stag", "git-reg rollback iris staging "),
]


def typed(person: Person, shell: list[str], setup: str, line: str) -> str:
    """Return the line of a real shell on a terminal after a TAB."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(person.here)
        os.execvpe(shell[0], shell, person.env | {"TERM": "dumb", "PS1": "READY> ", "HISTFILE": "/dev/null"})
    try:
        os.write(terminal, f"{setup}; echo SET''UP\n".encode())
        _read(terminal, lambda text: re.search(r"SETUP\s+READY> $", text) is not None)
        os.write(terminal, f"{line}\t".encode())
        return _read(terminal, lambda text: len(text) > len(line))
    finally:
        os.kill(process, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(process, 0)


def _read(terminal: int, enough: Callable[[str], bool]) -> str:
    """Return what a terminal shows once it is enough, and nothing more has come for a moment."""
    text = ""
    while select.select([terminal], [], [], 0.3 if enough(text) else 20)[0]:
        text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07", "", os.read(terminal, 4096).decode(errors="replace"))
    return text


@pytest.mark.slow
@pytest.mark.parametrize(("line", "completed"), CASES)
def test_bash_completes_on_a_terminal(registry: Person, line: str, completed: str) -> None:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    assert typed(registry, shell, 'eval "$(gitreg completion bash)"', line) == completed


GIT_COMPLETION = Path("/usr/share/bash-completion/completions/git")


@pytest.mark.slow
@pytest.mark.skipif(not GIT_COMPLETION.exists(), reason="git has no completion for bash here")
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("git reg prom", "git reg promote "),
        ("git reg promote iris@1 pr", "git reg promote iris@1 production "),
        ("git -C . reg show ir", "git -C . reg show iris@"),
    ],
)
def test_bash_completes_what_stands_behind_git_reg(registry: Person, line: str, completed: str) -> None:
    setup = f'. {GIT_COMPLETION}; eval "$(gitreg completion bash)"'
    assert typed(registry, ["bash", "--norc", "--noprofile", "-i"], setup, line) == completed


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "completed"), [*CASES, ("git reg promote iris@1 pr", "git reg promote iris@1 production ")]
)
def test_zsh_completes_on_a_terminal(registry: Person, line: str, completed: str, tmp_path: Path) -> None:
    installed = registry.with_env(XDG_DATA_HOME=str(tmp_path), ZDOTDIR=str(tmp_path))
    steps = installed.gitreg("completion", "--install", "zsh").out.splitlines()
    plain = "PS1='READY> '; unsetopt prompt_sp prompt_cr zle_bracketed_paste"
    setup = f"{plain}; {steps[-1].replace('; compinit', '; compinit -u')}"
    assert typed(installed, ["zsh", "-f", "-i"], setup, line) == completed


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "completed"), [*CASES, ("git-reg promote iris@1 pr", "git-reg promote iris@1 production")]
)
def test_fish_completes_with_what_was_installed(registry: Person, line: str, completed: str) -> None:
    registry.gitreg("completion", "--install", "fish")
    offered = registry.run("fish", "-c", f"complete -C '{line}'").out.splitlines()
    assert [each.partition("\t")[0] for each in offered][:1] == [completed.strip().rpartition(" ")[2]]


@pytest.mark.slow
def test_what_bash_loads_when_it_is_asked_for_is_installed_and_removed(registry: Person, tmp_path: Path) -> None:
    person = registry.with_env(SHELL="/bin/bash", XDG_DATA_HOME=str(tmp_path))
    folder = tmp_path / "bash-completion" / "completions"
    for _ in range(2):
        said = person.gitreg("completion", "--install").out
        assert f"Wrote {folder / 'gitreg'}\nWrote {folder / 'git-reg'}\n" in said
        assert sorted(path.name for path in folder.iterdir()) == ["git-reg", "gitreg"]
    command = next(line for line in said.splitlines() if "source " in line).partition(": ")[2]
    shell = ["bash", "--norc", "--noprofile", "-i"]
    assert typed(person, shell, command, "gitreg show ir") == "gitreg show iris@"
    assert person.gitreg("completion", "--uninstall").out.count("Removed") == 2
    assert list(folder.iterdir()) == []
    assert "nothing of gitreg" in person.gitreg("completion", "--uninstall").out


@pytest.mark.parametrize(
    ("shell", "env", "folder"),
    [
        ("bash", {}, "/home/ada/.local/share/bash-completion/completions"),
        ("bash", {"BASH_COMPLETION_USER_DIR": "/own", "XDG_DATA_HOME": "/data"}, "/own/completions"),
        ("zsh", {"XDG_DATA_HOME": "/data"}, "/data/zsh/site-functions"),
        ("fish", {}, "/home/ada/.config/fish/completions"),
        ("fish", {"XDG_CONFIG_HOME": "/config"}, "/config/fish/completions"),
    ],
)
def test_each_shell_has_its_own_folder(shell: str, env: dict[str, str], folder: str) -> None:
    assert completion.scripts.folder(shell, env, Path("/home/ada")) == Path(folder)


def test_a_shell_that_is_not_known_is_an_error_that_names_those_that_are(registry: Person) -> None:
    for shell in ("/bin/tcsh", ""):
        assert "bash, zsh or fish" in registry.with_env(SHELL=shell).gitreg("completion", code=3).err
    registry.gitreg("completion", "bash", "--install", "--uninstall", code=2)
