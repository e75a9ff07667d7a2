"""Pickled arrays, as OpenGait keeps the frames of a sequence and modality on disk.

Pickles from strangers are hostile, so none is unpickled. `read` walks through the opcodes that a
pickled array consists of and collects its shape, its data type and its bytes. Nothing that a file
names is ever looked up or called, and no more memory is taken than the file is long.
"""

import dataclasses
import functools
import math
import pickle
import pickletools
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gaitjax import files
from gaitjax.errors import UserError

NUMBERS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
# The makers of arrays: numpy keeps them in numpy.core before version 2, in numpy._core since then.
RECONSTRUCT = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
FROM_BUFFER = {"numpy.core.numeric _frombuffer", "numpy._core.numeric _frombuffer"}
LITERALS = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("GLOBAL", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("STRING", "SHORT_BINSTRING", "BINSTRING"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
# The opcodes of bytes, bytearrays and of how many, wherever they may begin.
LARGE_BYTES = re.compile(rb"(?=B(.{4})|[\x8e\x96](.{8}))", re.DOTALL)
HEAD, TAIL = 512, 512  # bytes, at most, before and behind those of an array that is a pickle's all
T = TypeVar("T")
BROKEN = (ValueError, TypeError, LookupError, AttributeError, OverflowError, struct.error)


class _RefusedError(Exception):
    """The file is a pickle, but not one of an array."""


@dataclasses.dataclass
class _DataType:
    """A numpy.dtype in the making, such as ('f4', '<')."""

    code: str
    byte_order: str = "="

    def build(self, state: tuple[Any, ...]) -> None:
        self.byte_order = state[1]

    def dtype(self) -> np.dtype[Any]:
        if not (isinstance(self.code, str) and self.code in NUMBERS):
            raise _RefusedError("it holds objects or text where numbers belong")
        return np.dtype((">" if self.byte_order == ">" else "<") + self.code)


@dataclasses.dataclass
class _Array:
    """A numpy.ndarray in the making: what numpy's `_frombuffer` is called with."""

    data: Any = b""  # text, bytes or a view of them; a list where the array is one of objects
    data_type: _DataType = dataclasses.field(default_factory=lambda: _DataType("u1"))
    shape: tuple[int, ...] = (0,)
    order: Any = "C"

    def build(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.data_type, fortran, self.data = state
        self.order = "F" if fortran else "C"

    def check(self) -> None:
        """Raises unless the bytes are exactly those that the shape asks for."""
        itemsize = self.data_type.dtype().itemsize
        if not (1 <= len(self.shape) <= 8 and all(type(n) is int and n >= 0 for n in self.shape)):
            raise _RefusedError("it holds no array of 1 to 8 axes")
        if math.prod(self.shape) * itemsize != len(self.data) or self.order not in ("C", "F"):
            raise ValueError

    def value(self) -> np.ndarray:
        # Python 2 pickles bytes as text.
        raw = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        dtype = self.data_type.dtype()
        array: np.ndarray = np.ndarray(self.shape, dtype, raw, order=self.order)
        return array.astype(dtype.newbyteorder("="), copy=False)


def read(path: Path | str) -> np.ndarray:
    """The array that a pickle holds.

    Args:
        path: a pickle of any protocol of a numeric array [T, ...], or of a list of T arrays of one
            shape, which are stacked.

    Returns:
        [T, ...] in the machine's byte order, perhaps read-only.

    Raises:
        UserError: if the file is missing, unreadable, empty, cut off, no pickle, or a pickle of
            anything else; names the file.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (a Path takes 10 us more)
            pickled = file.read()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}; check path and rights"
        ) from error
    return parse(str(path), pickled)


def parse(name: str, pickled: bytes) -> np.ndarray:
    """The array that the content of a pickle holds, as `read` does.

    Args:
        name: of the file, for errors.
        pickled: its content.

    Raises:
        UserError: as `read` does.
    """
    array = _plain(pickled)
    if array is not None:
        return array
    return _guard(name, pickled, lambda built: _frames(built, len(pickled)))


def parse_list(name: str, pickled: bytes) -> list[np.ndarray]:
    """The arrays of a pickled list, each of a shape of its own, such as clouds of points.

    Args:
        name: of the file, for errors.
        pickled: its content; one array is a list of its first axis.

    Raises:
        UserError: as `read` does.
    """
    return _guard(name, pickled, lambda built: _list(built, len(pickled)))


def parse_fields(name: str, pickled: bytes, fields: Sequence[str]) -> list[np.ndarray]:
    """Arrays of a pickled dictionary, which may be the first item of lists or arrays of objects.

    Args:
        name: of the file, for errors.
        pickled: its content.
        fields: what the dictionary calls the arrays.

    Raises:
        UserError: as `read` does; if there is no dictionary or it lacks a field.
    """
    return _guard(name, pickled, lambda built: _fields(built, fields))


def _plain(pickled: bytes) -> np.ndarray | None:
    """The array of a pickle that is one array, as most are: 15 times as fast.

    None for all other pickles, and for all that is wrong.
    """
    for opcode in LARGE_BYTES.finditer(pickled, 0, HEAD):
        start = opcode.end(opcode.lastindex or 0)
        end = start + int.from_bytes(pickled[opcode.start() + 1 : start], "little")
        if end <= len(pickled) <= end + TAIL:
            form = _form(pickled[: opcode.start()], end - start, pickled[end:])
            if form:
                shape, dtype, order = form
                array: np.ndarray = np.ndarray(shape, dtype, pickled, start, order=order)
                return array.astype(dtype.newbyteorder("="), copy=False)
    return None


@functools.lru_cache(4096)  # the sequences of a dataset differ in little but their lengths
def _form(head: bytes, size: int, tail: bytes) -> tuple[tuple[int, ...], np.dtype[Any], Any] | None:
    """Shape, data type and order of the array that a pickle is.

    Args:
        head: what comes before the opcode of the array's bytes.
        size: how many bytes they are.
        tail: what comes behind them.
    """
    try:
        array = _interpret(head + pickle.EMPTY_TUPLE + tail)
        if isinstance(array, _Array) and array.data == ():
            array.data = range(size)
            array.check()
            return array.shape, array.data_type.dtype(), array.order
    except (_RefusedError, *BROKEN):
        pass  # the pickle as a whole will say what is wrong
    return None


def _guard(name: str, pickled: bytes, take: Callable[[object], T]) -> T:
    """What `take` finds in what a pickle builds; what goes wrong is told to the user."""
    if not pickled:
        raise UserError(f"{name} is empty (0 bytes); expected a pickled array: make it again")
    try:
        built = _interpret(pickled)
        if isinstance(built, _Array) and isinstance(built.data, list):
            built = built.data  # an array of objects is the list of them
        return take(built)
    except _RefusedError as error:
        raise UserError(
            f"{name} was refused: {error}; expected a pickled numeric array and nothing else: "
            "make it again, and do not unpickle it unless you trust its source"
        ) from error
    except BROKEN as error:
        raise UserError(
            f"{name} is cut off or no pickle ({len(pickled)} bytes); expected a pickled numeric "
            "array: copy or make it again"
        ) from error


def write(path: Path, array: np.ndarray) -> None:
    """Pickles an array (protocol 4); the file is either whole or not there.

    Args:
        path: where to; an older file is replaced.
        array: numbers of any shape.

    Raises:
        UserError: if it cannot be written; names the file.
    """
    assert array.dtype.str[1:] in NUMBERS, array.dtype
    files.replace(path, pickle.dumps(array, protocol=4))


def _interpret(pickled: bytes) -> object:
    """What the pickle builds, of literals, tuples, lists, `_DataType` and `_Array` alone."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int | None, Any] = {}
    for opcode, argument, _ in pickletools.genops(pickled):
        match opcode.name:
            case "MEMOIZE":  # the most frequent ones first
                memo[len(memo)] = stack[-1]
            case name if name in LITERALS:
                stack.append(argument)
            case "PROTO" | "FRAME":
                pass
            case name if name in CONSTANTS:
                stack.append(CONSTANTS[name])
            case "STACK_GLOBAL":
                stack.append(" ".join(part[:80] for part in _pop(stack, len(stack) - 2)))
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(_pop(stack, len(stack) - int(opcode.name[-1]))))
            case "TUPLE":
                stack.append(tuple(_pop(stack, marks.pop())))
            case "EMPTY_LIST":
                stack.append([])
            case "LIST":
                stack.append(_pop(stack, marks.pop()))
            case "APPEND":
                _extend(stack, _pop(stack, len(stack) - 1))
            case "APPENDS":
                _extend(stack, _pop(stack, marks.pop()))
            case "EMPTY_DICT":
                stack.append({})
            case "DICT":
                items = _pop(stack, marks.pop())
                stack.append(dict(zip(items[::2], items[1::2], strict=True)))
            case "SETITEM":
                _update(stack, _pop(stack, len(stack) - 2))
            case "SETITEMS":
                _update(stack, _pop(stack, marks.pop()))
            case "REDUCE":
                stack.append(_make(*_pop(stack, len(stack) - 2)))
            case "BUILD":
                state = stack.pop()
                stack[-1].build(state)
            case "STOP":
                return stack.pop()
            case name:
                raise _RefusedError(f"it holds more than an array (opcode {name})")
    raise AssertionError("genops ends with STOP or raises")


def _pop(stack: list[Any], start: int) -> list[Any]:
    if not 0 <= start <= len(stack):
        raise IndexError
    items = stack[start:]
    del stack[start:]
    return items


def _extend(stack: list[Any], items: list[Any]) -> None:
    if not isinstance(stack[-1], list):
        raise TypeError
    stack[-1].extend(items)


def _update(stack: list[Any], items: list[Any]) -> None:
    if not isinstance(stack[-1], dict):
        raise TypeError
    stack[-1].update(zip(items[::2], items[1::2], strict=True))


def _make(name: object, arguments: Any) -> object:
    """Stands in for calling what a global names, for the few that pickled arrays need."""
    if not isinstance(name, str):
        raise TypeError
    if name in RECONSTRUCT:
        return _Array()  # its arguments are always (ndarray, (0,), b'b'); BUILD fills it
    if name in FROM_BUFFER:
        return _Array(*arguments)
    if name == "numpy dtype":
        return _DataType(arguments[0])
    if name == "_codecs encode" and arguments[1] == "latin1":
        return arguments[0]  # `_Array.value` encodes it
    raise _RefusedError(f"it asks for {name[:80].replace(' ', '.')}, which was not run")


def _frames(built: object, size: int) -> np.ndarray:
    """The one array, or a list of arrays of one shape stacked."""
    arrays = _arrays(built, size)
    if len({array.shape for array in arrays}) > 1:
        raise _RefusedError("it holds a list of arrays of several shapes")
    values = [array.value() for array in arrays]
    return np.stack(values) if isinstance(built, list) else values[0]


def _list(built: object, size: int) -> list[np.ndarray]:
    """The arrays of a list, or those along the first axis of one array."""
    values = [array.value() for array in _arrays(built, size)]
    return values if isinstance(built, list) else list(values[0])


def _arrays(built: object, size: int) -> list[_Array]:
    """The one array or those of a list, checked, if they take no more than `size` bytes."""
    items = built if isinstance(built, list) else [built]
    arrays = [item for item in items if isinstance(item, _Array)]
    if not arrays or len(arrays) < len(items):
        raise _RefusedError(f"it holds a {type(built).__name__} that is no array")
    for array in arrays:
        array.check()
    if sum(len(array.data) for array in arrays) > size:
        raise _RefusedError("it holds one array many times")
    return arrays


def _fields(built: object, fields: Sequence[str]) -> list[np.ndarray]:
    """Arrays of the first dictionary, at most two lists deep."""
    for _ in range(2):
        built = built[0] if isinstance(built, list) else built
    if not isinstance(built, dict):
        raise _RefusedError("it holds no dictionary")
    found = [built.get(field) for field in fields]
    arrays = [array for array in found if isinstance(array, _Array)]
    if len(arrays) < len(fields):
        raise _RefusedError(f"its dictionary lacks one of the arrays {', '.join(fields)}")
    for array in arrays:
        array.check()
    return [array.value() for array in arrays]
