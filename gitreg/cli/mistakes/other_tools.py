"""The words of other tools for what gitreg calls otherwise: of git, GTO, DVC, MLflow, Hugging Face, W&B, ZenML, docker.

A word that becomes a command of gitreg leaves its table; a test holds that. In braces stands what a line takes: the
arguments of the user go there, if there are any.
"""

from __future__ import annotations

_DELETE = "`gitreg delete {MODEL@VERSION}`; `gitreg yank {MODEL@VERSION}` only withdraws it"
_SAVE = "`gitreg save {MODEL PATH}`"
_LOAD = "`gitreg load {REF [DEST]}`"
_LIST = "`gitreg list {[MODEL] [FILTER...]}`"
_SHOW = "`gitreg show {REF}`"
_PROMOTE = "`gitreg promote {REF STAGE}`"
_ROLLBACK = "`gitreg rollback {MODEL STAGE}`; to leave a stage empty: `gitreg archive {REF}`"
_TAG = "`gitreg annotate {REF} --tag {TAG}`; a name that moves: `gitreg alias set {REF ALIAS}`"
_REGISTER = "`gitreg save {MODEL PATH}`; without files: `gitreg model register MODEL`"
_UNTAG = "`gitreg annotate {REF} --remove-tag {TAG}`"
_UNALIAS = "`gitreg alias delete {MODEL ALIAS}`"
_STAGES = "`gitreg list` shows who is in which stage"
_INIT = "`gitreg init {[PATH]}`"
_RUNS = "`gitreg runs list`"
_DIFF = "`gitreg diff {REF REF}`"
_LOG = "`gitreg log {[MODEL[@STAGE|@VERSION]]}`"
_SETTINGS = "`gitreg config list`, `gitreg config set NAME VALUE`, or `gitreg edit`"
_PAGE = "`gitreg card {REF}` writes a page of HTML"
_LOGIN = "gitreg has no accounts: Git's own login counts for the remote, and the cloud's own for the bucket"
_WHO = "gitreg writes as the user.name and user.email of `git config`"
_ENDS = "each call of gitreg ends by itself; `gitreg help exit-codes` has what its exit code says"
_RUN = "`gitreg run {-- COMMAND}`"
_COPIES = "a clone is a whole copy (`gitreg clone URL`); weights go to a further store by `gitreg store copy --to URL`"
_NAME = "a name stays; save under the new one, and archive the old one by `gitreg archive REF`"
_MOVE = f"into a stage: {_PROMOTE}; {_NAME}"
_SOUND = "`gitreg verify {[REF]}`; the registry itself: `gitreg doctor`"
_GC = "`gitreg gc`; on this machine: `gitreg cache prune`"
_DEPLOY = f"{_PROMOTE}; a server takes its files by `gitreg load MODEL@STAGE DEST`"
_SERVE = "`gitreg load {REF [DEST]}` brings the files to the server"

_BACK = (
    "`gitreg rollback MODEL STAGE` takes a promotion back, `gitreg undelete MODEL@VERSION` a deletion, and"
    " `gitreg unyank MODEL@VERSION` a withdrawal"
)
_AGAIN = "`gitreg undelete {MODEL@VERSION}` takes a deletion back, `gitreg unyank {MODEL@VERSION}` a withdrawal"

COMMANDS = {
    # looking
    "ls": _LIST, "dir": _LIST, "models": _LIST, "versions": _LIST, "search": _LIST, "find": _LIST, "filter": _LIST,
    "query": _LIST, "list-models": _LIST, "stages": _STAGES, "tags": _LIST,
    "status": "`gitreg list` shows models and stages, `gitreg doctor` problems, `gitreg store status` where files are",
    "info": _SHOW, "describe": _SHOW, "inspect": _SHOW, "view": _SHOW, "details": _SHOW, "metadata": _SHOW,
    "compare": _DIFF, "history": _LOG, "audit": _LOG, "blame": _LOG, "reflog": _LOG, "events": _LOG,
    "metrics": "`gitreg show {REF}`; of two versions: `gitreg diff REF REF`", "params": _SHOW,
    "leaderboard": "`gitreg list {MODEL} --sort desc:metadata.KEY`", "graph": "`gitreg lineage {REF}`",
    "dag": "`gitreg lineage {REF}`", "provenance": "`gitreg lineage {REF}`", "experiments": _RUNS,
    "exp": _RUNS, "jobs": _RUNS, "ps": _RUNS, "aliases": "`gitreg alias list`",
    "artifacts": "`gitreg artifact list`", "datasets": "`gitreg artifact list`", "stores": "`gitreg store status`",
    "remotes": "`gitreg config get remote`", "settings": _SETTINGS, "get-config": _SETTINGS, "ui": _PAGE,
    "dashboard": _PAGE, "web": _PAGE, "open": _PAGE, "report": _PAGE, "readme": "`gitreg card {REF}`",
    # saving and loading
    "upload": _SAVE, "push-model": _SAVE, "log-model": _SAVE, "add": _SAVE, "commit": _SAVE, "publish": _SAVE,
    "put": _SAVE, "create": _REGISTER, "import": _SAVE,
    "register": _REGISTER, "store-model": _SAVE,
    "log-artifact": "`gitreg artifact save {NAME PATH}`", "save-model": _SAVE, "new": _SAVE, "track": _SAVE,
    "download": _LOAD, "get": _LOAD, "checkout": _LOAD, "load-model": _LOAD, "pull-model": _LOAD, "export": _LOAD,
    "restore": f"{_AGAIN}; the files of a version: {_LOAD}", "recover": _AGAIN, "cp": _LOAD, "materialize": _LOAD,
    "mount": "`gitreg load {REF DEST} --link` makes links to the cache instead of copies",
    "fetch": "`gitreg pull`; the files of a version: `gitreg load REF`", "update": "`gitreg pull`",
    "snapshot": _COPIES, "backup": _COPIES, "mirror": _COPIES, "dump": _COPIES,
    # stages and names
    "deploy": _DEPLOY, "serve": _SERVE, "server": _SERVE, "release": _PROMOTE, "transition": _PROMOTE,
    "assign": _PROMOTE,
    "stage": _PROMOTE, "set-stage": _PROMOTE, "transition-stage": _PROMOTE,
    "demote": _ROLLBACK, "unstage": _ROLLBACK, "unassign": _ROLLBACK, "revert": _BACK, "undo": _BACK,
    "reset": _BACK, "deprecate": "`gitreg archive {REF}`; a broken one: `gitreg yank REF`",
    "retract": "`gitreg yank {REF}`",
    "tag": _TAG, "label": _TAG, "untag": _UNTAG, "unalias": _UNALIAS, "delete-alias": _UNALIAS, "delete-tag": _UNTAG,
    "set-tag": _TAG, "set-alias": "`gitreg alias set {REF ALIAS}`",
    "comment": "`gitreg annotate {REF} --description {TEXT}`", "note": "`gitreg annotate {REF} --description {TEXT}`",
    "rm": _DELETE, "remove": _DELETE, "del": _DELETE, "unregister": _DELETE, "rmi": _DELETE, "delete-model": _DELETE,
    "trash": _DELETE, "deleted": "`gitreg log {[MODEL]}` has the deletions; `gitreg undelete MODEL@VERSION` undoes one",
    "mv": _NAME, "rename": _NAME, "move": _MOVE,
    # keeping
    "fsck": _SOUND, "validate": _SOUND, "test": _SOUND, "prune": _GC, "clean": _GC, "cleanup": _GC, "purge": _GC,
    "set": _SETTINGS, "configure": _SETTINGS, "setup": _INIT, "new-registry": _INIT, "registry": _INIT,
    "repo": _INIT, "image": _LIST, "images": _LIST, "exit": _ENDS, "quit": _ENDS,
    "login": _LOGIN, "logout": _LOGIN, "auth": _LOGIN, "whoami": _WHO, "user": _WHO,
    "merge": "the Git host merges a pull request; `gitreg check` says before whether it may, `gitreg sync` comes after",
    "pr": "`gitreg promote REF STAGE --pr`; `gitreg check` says whether a pull request may be merged",
    "bucket": "`gitreg store status`", "install-hooks": "`gitreg hooks install`", "repro": _RUN, "exec": _RUN,
    "train": _RUN, "start": _RUN,
}  # fmt: skip
"""For each word: the lines that do it, or a sentence."""

UNDOING = {
    "delete": "`gitreg undelete {MODEL@VERSION}`", "yank": "`gitreg unyank {MODEL@VERSION}`", "promote": _ROLLBACK,
    "deploy": _ROLLBACK,
    "stage": _ROLLBACK, "save": _DELETE, "register": _DELETE, "publish": _DELETE, "tag": _UNTAG, "alias": _UNALIAS,
    "annotate": "`gitreg annotate {REF} --remove-tag TAG` or `--remove-metadata KEY`",
    "trust": "`gitreg trust --no-code` takes the trust for code back; `gitreg trust` lists what is trusted",
    "archive": "`gitreg promote {REF STAGE}` puts a version back into a stage",
    "approve": "an approval stays in the history; `gitreg why REF STAGE` says what it counts for",
}  # fmt: skip
"""For a command, behind a prefix that takes it back: the lines that do it, or a sentence."""

FURTHER_WORDS = {
    "pull": f"it takes no model; the files of a version: {_LOAD}",
    "push": f"it publishes what is saved; to save a version: {_SAVE}",
}  # fmt: skip
"""For a command that takes no words: the lines that were meant by one with a model."""

LOOKING = (
    "list", "show", "log", "diff", "lineage", "card", "scan", "why", "help", "env", "version", "runs", "cat", "check",
    "verify", "status", "get",
)  # fmt: skip
"""The commands that change nothing, of which a whole line may be proposed for a word that is only near."""

SUBJECTS = {
    "stage": {"set": _PROMOTE, "list": _STAGES, "delete": _ROLLBACK},
    "tag": {"set": _TAG, "list": _LIST, "delete": _UNTAG},
    "version": {"save": _SAVE, "list": _LIST, "show": _SHOW, "delete": _DELETE, "load": _LOAD, "update": _PROMOTE},
    "model": {
        "save": _REGISTER,
        "list": _LIST,
        "show": _SHOW,
        "delete": "`gitreg model delete {MODEL}`",
        "load": _LOAD,
    },
    "image": {"list": _LIST, "show": _SHOW, "delete": _DELETE, "load": _LOAD, "save": _SAVE},
    "repo": {"set": _INIT, "init": _INIT, "list": _LIST},
    "registry": {"set": _INIT, "init": _INIT, "list": _LIST},
    "experiment": {"list": _RUNS},
    "metadata": {"set": "`gitreg annotate {REF} --metadata {K=V}`", "show": _SHOW},
}
"""For the subject of a form of two words, as in ``stage set``: the lines by a word of SUBCOMMANDS."""

SUBCOMMANDS = (
    ("list", "ls", "status", "show", "dir"),
    ("show", "get", "info", "describe", "inspect", "view", "cat", "list", "status"),
    ("delete", "remove", "rm", "del", "unset", "drop", "prune"),
    ("add", "set", "create", "new", "register", "save", "put", "install", "update", "assign"),
    ("load", "download", "get", "pull", "fetch"),
    ("save", "upload", "push", "log", "add"),
    ("copy", "cp", "sync", "push", "replicate", "mirror"),
    ("update", "edit", "change", "modify", "set", "promote", "transition"),
    ("undelete", "restore", "recover"),
    ("verify", "check", "fsck", "validate"),
    ("prune", "clear", "clean", "gc", "purge", "empty"),
)
"""Words for the same thing: the first one that a group of commands has is meant."""

PLACE = "the folder is a word of its own"
_MODEL = "the model is a word of its own"
_FILTER = "a filter is a word of its own"
_QUESTIONS = "gitreg asks no questions"
_FOLDERS = "a folder is taken whole"
LEFT_OUT = (PLACE, _MODEL, _FILTER, _QUESTIONS, _FOLDERS)
"""The sentences on options that are left out of the line; a value stays, as a word."""
OWN_WORD = {
    "dest": PLACE, "model": _MODEL,
    "stage": "the stage is a word of its own", "alias": "the alias is a word of its own",
    "version": "the version is a word of its own",
}  # fmt: skip
"""For an argument: the sentence on an option of its name."""
_VERSION = "write the version behind the model, MODEL@VERSION"
_STAGE = "write the stage behind the model, MODEL@STAGE"
_ALIAS = "write the alias behind the model, MODEL@ALIAS"
BEHIND_THE_MODEL = (_VERSION, _STAGE, _ALIAS)
"""The sentences on options whose value stands behind the model's ``@``."""

OPTIONS: dict[str, tuple[str, ...] | str] = {
    "--message": ("--reason", "--description"), "-m": ("--reason", "--description"), "--msg": ("--message", "--reason"),
    "--comment": ("--reason", "--description"), "--note": ("--reason", "--description"), "--why": ("--reason",),
    "--format": ("--output",), "--out-format": ("--output",), "-f": ("--force", "--file"), "--overwrite": ("--force",),
    "--out": ("--output",), "--tags": ("--tag",), "--label": ("--tag",), "-l": ("--tag",), "--meta": ("--metadata",),
    "--metric": ("--metadata",), "--metrics": ("--metadata",), "--param": ("--metadata",), "--params": ("--metadata",),
    "--property": ("--metadata",), "--set": ("--metadata",), "-p": ("--metadata",), "--desc": ("--description",),
    "-d": ("--description",), "--limit": ("--size", "--max-count"), "-n": ("--max-count", "--size", "--dry-run"),
    "--max": ("--size", "--max-count"), "--top": ("--size",), "--per-page": ("--size",), "--page-size": ("--size",),
    "--sort-by": ("--sort",), "--order-by": ("--sort",), "--order": ("--sort",), "--as-of": ("--at",),
    "--date": ("--at",), "--rev": ("--at",), "--revision": ("--at",), "--commit": ("--at",), "--no-push": ("--local",),
    "--pull-request": ("--pr",), "--propose": ("--pr",), "--refresh": ("--fetch",), "--pull": ("--fetch",),
    "--simulate": ("--dry-run",), "--from": ("--input",), "--parent": ("--input",), "--symlink": ("--link",),
    "--older-than": ("--grace",), "--older": ("--grace",), "--max-size": ("--to",), "--apply": ("--repair",),
    "--include": ("--file",), "--only": ("--file",), "--fix": ("--repair",), "--or": ("--any",),
    "--allow-pickle": ("--unsafe-code",), "--trust-remote-code": ("--unsafe-code",),
    "--untag": ("--remove-tag",), "--unset": ("--remove-tag",), "--delete-tag": ("--remove-tag",),
    "--rm-tag": ("--remove-tag",), "--del-tag": ("--remove-tag",), "--unset-metadata": ("--remove-metadata",),
    "--delete-metadata": ("--remove-metadata",), "--rm-metadata": ("--remove-metadata",),
    "--yes": _QUESTIONS, "-y": _QUESTIONS, "--no-input": _QUESTIONS, "--assume-yes": _QUESTIONS,
    "--output-dir": PLACE, "--out-dir": PLACE, "--dest": PLACE, "--dir": PLACE, "--path": PLACE,
    "--local-dir": PLACE, "--version": _VERSION, "--stage": _STAGE, "--alias": _ALIAS, "--model": _MODEL,
    "--name": _MODEL, "--model-name": _MODEL, "--filter": _FILTER, "--where": _FILTER,
    "-j": ("--json",), "--csv": "-o csv", "--yaml": "-o yaml", "--table": "-o table",
    "--reverse": "the other way round is --sort desc:FIELD", "--recursive": _FOLDERS,
    "-r": _FOLDERS, "--offline": "set GITREG_OFFLINE=1 instead",
}  # fmt: skip
"""For each option of other tools: those of gitreg, of which the first that the command has is meant, or a sentence."""

FILTERS = ("stage", "alias", "tag", "version", "description", "created_by", "input", "run")
"""The options that are filters in gitreg."""

BEFORE_THE_COMMAND = {"--repo": "--repo", "--registry": "--repo", "--repository": "--repo", "-C": "--repo"}
"""The options that stand before the command's name."""
