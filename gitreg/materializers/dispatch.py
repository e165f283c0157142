"""Writing and reading objects by their materializer, with readable messages for every failure."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gitreg.errors import GitregError, InvalidInput, NotFound, Refused
from gitreg.materializers.base import Materializer, shown
from gitreg.materializers.lookup import by_name, by_type
from gitreg.materializers.pickle_files import Pickle


def write(value: object, folder: Path, *, unsafe_pickle: bool = False) -> str:
    """Write an object as files, in the safe format of its ecosystem.

    Parameters
    ----------
    value:
        The object.
    folder:
        An existing empty folder; it is emptied again on failure.
    unsafe_pickle:
        True to pickle an object that no safe format supports.

    Returns
    -------
    str
        The name of the materializer, which `read` needs.

    Raises
    ------
    InvalidInput
        No materializer takes the object, its files would not restore exactly this value, or the folder is not empty.
    NotFound
        The object is a path that does not exist, or `folder` does not exist.
    """
    _check_empty(folder)
    one = by_type(value)
    try:
        if one is None:
            raise InvalidInput(f"no materializer takes {shown(type(value))}")
        with _errors_with_place(
            one, f"{shown(type(value))} cannot be saved as {one.name}", "save a file that you wrote"
        ):
            one.write(value, folder)
            return one.name
    except InvalidInput as error:
        _empty(folder)
        if not unsafe_pickle:
            hint = error.hint or "save a path, write a materializer for it, or say unsafe_pickle=True"
            raise InvalidInput(error.message, hint=hint) from error.__cause__
    except BaseException:
        _empty(folder)
        raise
    last = Pickle()
    try:
        with _errors_with_place(last, f"{shown(type(value))} cannot be pickled"):
            last.write(value, folder)
    except BaseException:
        _empty(folder)
        raise
    return last.name


def read(folder: Path, materializer: str, *, unsafe_pickle: bool = False, expected: type | None = None) -> object:
    """Return the object in the files that `write` wrote.

    Parameters
    ----------
    folder:
        The folder with the files, maybe from a stranger. If the object is a path, it is a path in this folder.
    materializer:
        The name that `write` returned.
    unsafe_pickle:
        True to read files that can run code: pickles, and types that skops does not trust.
    expected:
        The expected type of the object; needed if the files do not name it (a class of transformers).

    Raises
    ------
    InvalidInput
        The files are damaged, the materializer is unknown, or its library is not installed.
    Refused
        The files could run code, themselves or through a known flaw of an old library, without ``unsafe_pickle``.
    """
    one = by_name(materializer)
    if not unsafe_pickle:
        _check_versions(one)
    with _errors_with_place(one, f"the files are not what {materializer} writes"):
        return one.read(folder, trusted=unsafe_pickle, expected=expected)


@contextmanager
def _errors_with_place(one: Materializer, place: str, otherwise: str | None = None) -> Iterator[None]:
    """Turn every exception of a library into InvalidInput; libraries raise arbitrary exceptions.

    Parameters
    ----------
    otherwise:
        The remedy for a library that cannot be installed; None if there is none.
    """
    try:
        yield
    except GitregError as error:
        if type(error) is InvalidInput:
            raise InvalidInput(f"{place}: {error.message}", hint=error.hint) from error.__cause__
        raise
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"{one.name} needs {error.name}, which is not installed",
            hint="; or ".join(filter(None, [f"pip install {_distribution(one, error.name or '')}", otherwise])),
        ) from error
    except BaseException as error:
        # polars, in Rust, panics at damaged files with a class that is not a subclass of Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        words = " ".join(str(error).split()).partition(" Stack trace:")[0] or type(error).__name__  # XGBoost's, in C++
        raise InvalidInput(f"{place}: {words[:_LONGEST]}") from error


def _distribution(one: Materializer, module: str) -> str:
    """Return the distributions to install for a missing module: the one of its name, else all that are needed."""
    top = module.partition(".")[0].replace("_", "-")
    return top if top in one.needs.split() else one.needs or top


_LONGEST = 500  # characters of a library's own message


def _check_versions(one: Materializer) -> None:
    """Raise Refused if an installed library is so old that a file can make it run code; missing ones are skipped."""
    for distribution, oldest in one.safe_from:
        try:
            installed = version(distribution)
        except PackageNotFoundError:
            continue
        if _numbers(installed) < _numbers(oldest):
            raise Refused(
                f"{distribution} {installed} can be made to run code by a file that it reads",
                hint=f"pip install '{distribution}>={oldest}'",
            )


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)[:3]]


def _check_empty(folder: Path) -> None:
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder", hint="make it first")
    if any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty", hint="write into an empty folder")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
