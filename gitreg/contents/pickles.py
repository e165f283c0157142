"""Scans of pickles: the names that a pickle would import and call, found by its opcodes alone.

A machine like ``pickle.Unpickler`` runs through the stream, with placeholders for the values. It reads on wherever a
real unpickler would, so that nothing is executed behind the place where it stops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Final

from gitreg.contents.allowlist import Pair, is_allowed
from gitreg.contents.calls import Name, Passed, Unknown, problem_of_call, problem_of_items, problem_of_state, tuple_of
from gitreg.contents.findings import CODE, LIMITED, OPAQUE, TOO_LONG, Finding
from gitreg.contents.limits import Budget, TooLongError
from gitreg.contents.numpy_arrays import WRAPPER, PickledObject, UnknownArrayError, alignment, array_size
from gitreg.contents.opcodes import CONSTANTS, ESCAPED, PLAIN, OpcodeStream, UnreadableError, index, is_plain, name_line
from gitreg.contents.window import size_of

_UNKNOWN: Final = Unknown()
_ARRAY: Final[Pair] = ("numpy", "ndarray")
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_PICKLES = 5  # magic number, protocol, system, object, keys; the bytes of the tensors follow
_PROTO = 0x80
_MEMOIZE, _SHORT_TEXT, _SMALL_INT, _SMALL_GET, _STOP = 0x94, 0x8C, ord("K"), ord("h"), ord(".")
_HIGHEST = 5
_FEW = 4  # opcodes: random bytes rarely contain so many valid ones


class AmbiguousError(Exception):
    """The error that readers of pickles read a frame differently: C goes on after it, and Python fails."""


class PickleFacts:
    """The facts found about the pickles of one stream."""

    def __init__(self) -> None:
        self.names: dict[Pair, bool] = {}
        """For each name, whether it may be imported."""
        self.problems: dict[str, None] = {}
        self.calls = False
        self.arrays = False
        """True if there are arrays as joblib writes them."""

    def name(self, pair: Pair) -> None:
        """Record a name that would be imported."""
        if pair not in self.names:
            self.names[pair] = "." not in pair[1] and is_allowed(pair)

    @property
    def foreign(self) -> list[str]:
        """The names that are not on the allow-lists, sorted."""
        return sorted(f"{module}.{name}" for (module, name), allowed in self.names.items() if not allowed)

    @property
    def all_names(self) -> tuple[str, ...]:
        """All imported names, sorted."""
        return tuple(sorted(f"{module}.{name}" for module, name in self.names))

    def code(self, why: str = "") -> Finding | None:
        """Return the finding that the pickles are code, or None; `why` is the reason where no worse one was found."""
        foreign = self.foreign
        if foreign:
            more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
            why = f"that names {', '.join(foreign[:3])}{more}"
        elif self.problems:
            why = f"that {next(iter(self.problems))}"
        return Finding(CODE, f"pickle {why}", self.all_names) if why else None


def look_at_pickles(file: BinaryIO, budget: Budget) -> Finding | None:
    """Return the finding on a file that begins with pickles; None where there is none, or one that calls nothing.

    The file is read from its current position. Without the header of protocol 2, text and other data may look like a
    pickle; they count as one only where a name would be called, or where it ends with a value.

    Returns
    -------
    Finding | None
        The finding on all pickles that follow one another, and on arrays of objects among them.
    """
    start = file.tell()
    facts = PickleFacts()
    finding = _look(OpcodeStream(file, size_of_rest(file)), facts, budget)
    if facts.arrays and (finding is None or finding.verdict != CODE):
        file.seek(start)
        finding = _look_into_arrays(OpcodeStream(file, size_of_rest(file))) or finding
    return finding


def _look(stream: OpcodeStream, facts: PickleFacts, budget: Budget) -> Finding | None:
    count, torch, first_headed = 0, False, False
    while not (torch and count == _TORCH_PICKLES):
        header = stream.peek(2)
        if not header:
            break
        headed = len(header) == 2 and header[0] == _PROTO and header[1] <= _HIGHEST
        first_headed = first_headed or (headed and not count)
        machine = PickleMachine(stream, facts, budget)
        facts.calls = False
        try:
            machine.run()
        except TooLongError:
            return facts.code() or Finding(CODE, f"pickle, {TOO_LONG}", facts.all_names)
        except AmbiguousError:
            return facts.code("that cannot be read to its end")
        except UnreadableError:
            if headed and (facts.problems or facts.names or machine.done >= _FEW):
                return facts.code("that cannot be read to its end")
            if facts.calls and (facts.foreign or facts.problems):  # the call runs before the rest fails
                return facts.code()
            if not count or not (facts.names or first_headed):
                return None
            return facts.code() or Finding(OPAQUE, "pickle with more behind its end", facts.all_names)
        count += 1
        torch = torch or (count == 1 and machine.result == _TORCH_MAGIC)
    if not count:
        return None
    names = len(facts.names)
    return facts.code() or Finding(LIMITED, f"pickle of {names} known names" if names else "pickle", facts.all_names)


def _look_into_arrays(stream: OpcodeStream) -> Finding | None:
    """Return the finding on a file of joblib as ``pickle.load`` reads it, if it is code; else None."""
    facts, budget = PickleFacts(), Budget()
    try:
        while stream.peek(1):
            PickleMachine(stream, facts, budget, arrays=False).run()
    except TooLongError:
        return Finding(CODE, f"pickle, {TOO_LONG}", facts.all_names)
    except (AmbiguousError, UnreadableError):
        pass
    return facts.code() if facts.calls else None


def size_of_rest(file: BinaryIO) -> int:
    """Return the offset of the end of a file, without moving its position."""
    at = file.tell()
    end = size_of(file)
    file.seek(at)
    return end


class PickleMachine:
    """A machine that runs through one pickle.

    Parameters
    ----------
    arrays:
        True if arrays of joblib are skipped; ``pickle.load`` reads their bytes as opcodes.
    """

    def __init__(self, stream: OpcodeStream, facts: PickleFacts, budget: Budget, *, arrays: bool = True) -> None:
        self.stream = stream
        self.facts = facts
        self.budget = budget
        self.arrays = arrays
        self.done = 0
        self.result: Any = None
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._frame_end = 0
        self._beyond = False  # True while it reads the bytes of an array as opcodes

    def run(self) -> None:
        """Run to the end of the pickle.

        Raises
        ------
        UnreadableError
            The pickle cannot be read to its end.
        AmbiguousError
            The pickle cannot be read to the end of a frame that is complete in the file.
        TooLongError
            The pickle has more opcodes than are scanned.
        """
        try:
            self._run()
        except UnreadableError:
            if 0 < self._frame_end <= self.stream.size:
                raise AmbiguousError from None
            raise

    def _run(self) -> None:
        stream, budget, memo = self.stream, self.budget, self._memo
        read = stream.file.read
        while byte := read(1):
            code = byte[0]
            budget.opcodes -= 1
            if budget.opcodes < 0:
                raise TooLongError
            if self._frame_end:
                self._see_frame_end(stream.file.tell() - 1)
            if code == _MEMOIZE:  # nine of ten opcodes are among these four
                memo[len(memo)] = self._stack[-1] if self._stack else self._top()
            elif code == _SHORT_TEXT:
                self._stack.append(stream.text(stream.take(1)[0]))
            elif code == _SMALL_INT:
                self._stack.append(stream.take(1)[0])
            elif code == _SMALL_GET:
                self._get(stream.take(1)[0])
            elif (constant := CONSTANTS.get(code)) is not None:
                self._stack.append(constant(stream))
            elif code == _STOP:
                self._end_frame()
                self.result = self._pop()
                return
            elif (handler := _HANDLERS.get(code)) is not None:
                handler(self)
            else:
                raise UnreadableError
            self.done += 1
        raise UnreadableError

    # -- the stack ---------------------------------------------------------------------------------------------------

    def _pop(self) -> Any:
        if self._stack:
            return self._stack.pop()
        raise UnreadableError

    def _top(self) -> Any:
        value = self._pop()
        self._stack.append(value)
        return value

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[Any]:
        if not self._below:
            raise UnreadableError
        items, self._stack = self._stack, self._below.pop()
        return items

    def _drop_mark(self) -> None:
        self._pop_mark()

    def _read_only(self) -> None:
        self._top()

    def _drop(self) -> None:
        if self._stack:
            del self._stack[-1]
        else:
            self._pop_mark()

    # -- values ------------------------------------------------------------------------------------------------------

    def _tuple(self, size: int) -> None:
        items = [self._pop() for _ in range(size)]
        self._push(tuple_of(reversed(items)))

    def _marked_tuple(self) -> None:
        items = self._pop_mark()
        self._push(tuple_of(items))

    def _marked_plain(self) -> None:
        self._contained(self._pop_mark())
        self._push(PLAIN)

    def _marked_dict(self) -> None:
        items = self._pop_mark()
        self._contained(items)
        self._push(_pairs(items))

    def _append(self) -> None:
        self._contained([self._pop()])
        self._grown(self._top())

    def _appends(self) -> None:
        self._contained(self._pop_mark())
        self._grown(self._top())

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set([key, value])

    def _set_items(self) -> None:
        self._set(self._pop_mark())

    def _set(self, items: list[Any]) -> None:
        self._contained(items)
        target = self._top()
        if type(target) is dict:
            target.update(_pairs(items))
        self._grown(target)

    def _contained(self, items: list[Any]) -> None:
        self._problem(problem_of_items(items))

    def _grown(self, target: Any) -> None:
        if type(target) is Name:
            self._problem(f"changes {'.'.join(target.pair)} itself")

    def _problem(self, problem: str | None) -> None:
        if problem:
            self.facts.problems[problem] = None

    # -- memo --------------------------------------------------------------------------------------------------------

    def _put(self, index: int) -> None:
        self._memo[index] = self._top()

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise UnreadableError
        self._push(self._memo[index])

    def _index_line(self) -> int:
        return self.stream.line(index)

    # -- names and calls ---------------------------------------------------------------------------------------------

    def _name(self, module: Any, name: Any) -> Name:
        if isinstance(module, str) and isinstance(name, str):
            self.facts.name((module, name))
            return Name((module, name))
        if self._beyond and (type(module) is PickledObject or type(name) is PickledObject):
            raise UnreadableError  # a pickle of its own, of objects, whose memo indices do not fit this memo
        if not (isinstance(module, str) or is_plain(module) or module is _UNKNOWN or type(module) is PickledObject):
            raise UnreadableError  # unpicklers refuse a name that is no text
        self.facts.problems["names something that is no constant of it"] = None
        return Name(("?", "?"))

    def _global(self) -> None:
        module = name_line(self.stream)
        self._push(self._name(module, name_line(self.stream)))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        self._push(self._name(module, name))

    def _extension(self, width: int) -> None:
        self.stream.number(width)
        self.facts.problems["names something by an extension code"] = None
        self._push(Name(("?", "?")))

    def _inst(self) -> None:
        module = name_line(self.stream)
        name = self._name(module, name_line(self.stream))
        self._call(name, tuple_of(self._pop_mark()), "INST")

    def _obj(self) -> None:
        items = self._pop_mark()
        if not items:
            raise UnreadableError
        self._call(items[0], tuple_of(items[1:]), "OBJ")

    def _new_obj(self) -> None:
        arguments, name = self._pop(), self._pop()
        self._call(name, arguments, "NEWOBJ")

    def _new_obj_ex(self) -> None:
        named, arguments, name = self._pop(), self._pop(), self._pop()
        self._contained([named])
        self._call(name, arguments, "NEWOBJ_EX")

    def _reduce(self) -> None:
        arguments, name = self._pop(), self._pop()
        self._call(name, arguments, "REDUCE")

    def _call(self, called: Any, arguments: Any, opcode: str) -> None:
        if called is None or isinstance(called, (bool, int, str, tuple, dict)) or is_plain(called):
            raise UnreadableError  # none of these values can be called
        self.facts.calls = True
        self._problem(problem_of_call(called, arguments, opcode))
        if type(called) is not Name:
            self._push(_UNKNOWN)
        elif type(arguments) is Passed and type(arguments[0]) is Name:
            self._push(PickledObject(arguments[0].pair, ()))  # rebuilt as by protocols 0 and 1
        else:
            self._push(PickledObject(called.pair, arguments))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if type(target) is Name:
            self._grown(target)
        self.facts.calls = True
        if isinstance(state, (tuple, dict)):
            self.budget.opcodes -= len(state)  # each item is checked, again with each call
        self._problem(problem_of_state(state))
        if type(target) is PickledObject:
            target.states.append(state)
            if target.pair == WRAPPER and self.arrays:
                self._array(target)
            elif target.pair == WRAPPER:
                self._read_array()
                self.facts.calls = False  # count only calls in the bytes of the array
                self._beyond = True

    def _persistent(self) -> None:
        self.stream.line(len)
        self._push(_UNKNOWN)

    def _persistent_on_stack(self) -> None:
        self._contained([self._pop()])
        self._push(_UNKNOWN)

    # -- arrays between opcodes --------------------------------------------------------------------------------------

    def _array(self, wrapper: PickledObject) -> None:
        """Skip an array that joblib wrote into the pickle."""
        self.facts.arrays = True
        try:
            self._step_over_array(wrapper)
        except (UnknownArrayError, UnreadableError):
            self._problem("has an array as joblib does not write it")
            raise UnreadableError from None
        self._read_array()

    def _read_array(self) -> None:
        self._pop()
        self._push(PickledObject(_ARRAY, ()))

    def _step_over_array(self, wrapper: PickledObject) -> None:
        if len(wrapper.states) != 1:  # values of an earlier state would still count
            raise UnknownArrayError
        state = wrapper.states[0]
        size = array_size(state)
        self._out_of_frame()
        if size is None:
            inner = PickleMachine(self.stream, self.facts, self.budget, arrays=False)
            inner.run()
            inner._out_of_frame()
            return
        if alignment(state):
            self.stream.step_over(self.stream.number(1))
        self.stream.step_over(size)

    def _out_of_frame(self) -> None:
        """Refuse an array inside a frame: readers written in Python have read the whole frame, and go on after it.

        Raises
        ------
        UnknownArrayError
            The current frame has not ended.
        """
        if self.stream.file.tell() < self._frame_end:
            raise UnknownArrayError
        self._frame_end = 0

    # -- other -------------------------------------------------------------------------------------------------------

    def _protocol(self) -> None:
        if self.stream.number(1) > _HIGHEST:
            raise UnreadableError

    def _frame(self) -> None:
        size = self.stream.number(8)
        self._end_frame()
        self._frame_end = self.stream.file.tell() + size

    def _see_frame_end(self, at: int) -> None:
        """Leave the frame where an opcode begins at its end; no opcode may cross the end.

        There, Python fails; C goes on after the frame, without the rest of it.

        Raises
        ------
        AmbiguousError
            An opcode crosses the end.
        """
        if at > self._frame_end:
            raise AmbiguousError
        if at == self._frame_end:
            self._frame_end = 0

    def _end_frame(self) -> None:
        if self._frame_end and self.stream.file.tell() != self._frame_end:
            raise AmbiguousError
        self._frame_end = 0


def _pairs(items: list[Any]) -> dict[Any, Any]:
    """Return the known items of a dict: those with text keys, and one for all unknown keys, which may equal a text."""
    made: dict[Any, Any] = {}
    for key, value in zip(items[::2], items[1::2], strict=False):
        if isinstance(key, str):
            made[key] = value
        elif key is _UNKNOWN or key is ESCAPED or type(key) is PickledObject:
            made[_UNKNOWN] = value
    return made


_HANDLERS: dict[int, Callable[[PickleMachine], None]] = {
    ord("("): PickleMachine._mark,
    ord("0"): PickleMachine._drop,
    ord("1"): PickleMachine._drop_mark,
    ord("2"): lambda m: m._push(m._top()),
    ord("t"): PickleMachine._marked_tuple,
    0x85: lambda m: m._tuple(1),
    0x86: lambda m: m._tuple(2),
    0x87: lambda m: m._tuple(3),
    ord("l"): PickleMachine._marked_plain,
    ord("d"): PickleMachine._marked_dict,
    0x91: PickleMachine._marked_plain,
    ord("a"): PickleMachine._append,
    ord("e"): PickleMachine._appends,
    0x90: PickleMachine._appends,
    ord("s"): PickleMachine._set_item,
    ord("u"): PickleMachine._set_items,
    ord("p"): lambda m: m._put(m._index_line()),
    ord("q"): lambda m: m._put(m.stream.number(1)),
    ord("r"): lambda m: m._put(m.stream.number(4)),
    ord("g"): lambda m: m._get(m._index_line()),
    ord("h"): lambda m: m._get(m.stream.number(1)),
    ord("j"): lambda m: m._get(m.stream.number(4)),
    ord("c"): PickleMachine._global,
    0x93: PickleMachine._stack_global,
    0x82: lambda m: m._extension(1),
    0x83: lambda m: m._extension(2),
    0x84: lambda m: m._extension(4),
    ord("i"): PickleMachine._inst,
    ord("o"): PickleMachine._obj,
    0x81: PickleMachine._new_obj,
    0x92: PickleMachine._new_obj_ex,
    ord("R"): PickleMachine._reduce,
    ord("b"): PickleMachine._build,
    ord("P"): PickleMachine._persistent,
    ord("Q"): PickleMachine._persistent_on_stack,
    _PROTO: PickleMachine._protocol,
    0x95: PickleMachine._frame,
    0x98: PickleMachine._read_only,
}
