"""Eight numbers side by side, for compiled kernels that work on eight loans at once.

A loop over eight lanes is left to the compiler's mood: it unrolls it, or finds its length unknown and sets nothing side
by side. Here a vector is a value of its own, so that a product of lanes is one instruction, or two or four where the
machine's are narrower. Nothing is contracted: every machine gives the same bits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

LANES = 8
ROW = 4
"""Numbers of a row that is laid out or added to: as many states as there may be."""

_REAL, _LONG, _INT = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
_VECTOR, _BITS = ir.VectorType(_REAL, LANES), ir.VectorType(_LONG, LANES)
_EXPONENT, _BIAS = 0x7FF << 52, 2046 << 52


class Lanes(types.Type):  # type: ignore[misc]
    """LANES float64, in one register where there is one so wide."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


_LANES = Lanes()


@register_model(Lanes)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


class _Code:
    """What an intrinsic builds with: addresses in its array arguments."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.builder, self.args = builder, args
        self.data = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else None
            for kind, value in zip(signature.args, args, strict=True)
        ]

    def spot(self, argument: int, at: Any, kind: Any = None) -> Any:
        """Address of element `at` of an array argument, as one of `kind`."""
        found = self.builder.gep(self.data[argument], [at])
        return found if kind is None else self.builder.bitcast(found, kind.as_pointer())

    def add(self, one: Any, more: int) -> Any:
        return self.builder.add(one, _LONG(more))

    def load(self, argument: int, at: Any, kind: Any = _VECTOR) -> Any:
        return self.builder.load(self.spot(argument, at, kind), align=8)

    def store(self, argument: int, at: Any, value: Any) -> None:
        self.builder.store(value, self.spot(argument, at, value.type), align=8)

    def pick(self, one: Any, other: Any, places: Sequence[int]) -> Any:
        """The elements at these places of two vectors, one after the other."""
        mask = ir.Constant(ir.VectorType(_INT, len(places)), list(places))
        return self.builder.shuffle_vector(one, other, mask)

    def month(self, place: int, lane: int, step: Any) -> Any:
        """Where step `step` of the loan in this lane stands, by the array argument `place`."""
        return self.builder.add(self.builder.load(self.spot(place, _LONG(lane))), step)

    def row(self, code: int, at: Any) -> Any:
        """Where the row of a table of ROW columns begins, that an array argument names at this place."""
        number = self.builder.load(self.spot(code, at))
        return self.builder.mul(self.builder.sext(number, _LONG), _LONG(ROW))


def _nothing(context: Any) -> Any:
    return context.get_dummy_value()


@intrinsic
def load(_typing: Any, array: Any, at: Any) -> Any:
    """LANES numbers of a flat float64 array from place `at` on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _Code(context, builder, signature, args).load(0, args[1])

    return _LANES(array, types.intp), build


@intrinsic
def store(_typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Writes LANES numbers to a flat float64 array from place `at` on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _Code(context, builder, signature, args).store(0, args[1], args[2])
        return _nothing(context)

    return types.void(array, types.intp, _LANES), build


@intrinsic
def spread(_typing: Any, value: Any) -> Any:
    """One number in every lane."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, args[0], _INT(0))
        every = ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES)
        return builder.shuffle_vector(first, nothing, every)

    return _LANES(types.float64), build


@intrinsic
def scale(_typing: Any, value: Any) -> Any:
    """Two to the power of minus the exponent of each number, none negative: times it, a number lies between 1 and 2."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        bits = builder.and_(
            builder.bitcast(args[0], _BITS), ir.Constant(_BITS, [_EXPONENT] * LANES)
        )
        return builder.bitcast(builder.sub(ir.Constant(_BITS, [_BIAS] * LANES), bits), _VECTOR)

    return _LANES(_LANES), build


@intrinsic
def exponent(_typing: Any, value: Any) -> Any:
    """The exponent of each number: of a power of two, to which power."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        places = builder.lshr(builder.bitcast(args[0], _BITS), ir.Constant(_BITS, [52] * LANES))
        powers = builder.sub(places, ir.Constant(_BITS, [1023] * LANES))
        return builder.sitofp(powers, _VECTOR)

    return _LANES(_LANES), build


def _of_two(symbol: Callable[[Any, Any], Any], name: str) -> None:
    """Gives two vectors an operator."""

    @type_callable(symbol)
    def kinds(_context: Any) -> Any:
        def found(one: Any, other: Any) -> Any:
            return _LANES if isinstance(one, Lanes) and isinstance(other, Lanes) else None

        return found

    @lower_builtin(symbol, Lanes, Lanes)
    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return getattr(builder, name)(*args)


_of_two(operator.mul, "fmul")
_of_two(operator.add, "fadd")
_of_two(operator.truediv, "fdiv")


@intrinsic
def lay_rows(
    _typing: Any, tag: Any, table: Any, code: Any, place: Any, step: Any, work: Any, spot: Any
) -> Any:
    """Row `code[place[lane] + step]` of a table (u, ROW) for every lane; column s to `work[spot + s * LANES]` on.

    Args:
        tag: as many numbers as columns that count.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code_ = _Code(context, builder, signature, args)
        rows = [
            code_.load(1, code_.row(2, code_.month(3, lane, args[4])), ir.VectorType(_REAL, ROW))
            for lane in range(LANES)
        ]
        for state, column in enumerate(_turned(code_, rows)[: len(tag)]):
            code_.store(5, code_.add(args[6], state * LANES), column)
        return _nothing(context)

    return types.void(tag, table, code, place, types.intp, work, types.intp), build


def _turned(code: _Code, rows: Sequence[Any]) -> list[Any]:
    """LANES rows of ROW numbers as ROW columns of LANES numbers."""
    both = [code.pick(rows[k], rows[k + ROW], range(LANES)) for k in range(ROW)]
    even, odd = [0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15]
    low, high = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
    halves = [[code.pick(both[k], both[k + 1], way) for way in (even, odd)] for k in (0, 2)]
    return [code.pick(halves[0][k], halves[1][k], way) for way in (low, high) for k in (0, 1)]


def _pairs(code: _Code, columns: Sequence[Any]) -> list[Any]:
    """Columns of LANES numbers two by two, row after row; a last one without a partner stands twice."""
    zipped = [lane + LANES * half for lane in range(LANES) for half in (0, 1)]
    return [
        code.pick(columns[k], columns[min(k + 1, len(columns) - 1)], zipped)
        for k in range(0, len(columns), 2)
    ]


@intrinsic
def write_rows(
    _typing: Any, tag: Any, table: Any, place: Any, step: Any, work: Any, spot: Any
) -> Any:
    """Writes column s at `work[spot + s * LANES]` on to row `place[lane] + step` of a float32 table (t, states)."""
    states = len(tag)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature, args)
        short = ir.VectorType(ir.FloatType(), LANES)
        columns = [
            builder.fptrunc(code.load(4, code.add(args[5], state * LANES)), short)
            for state in range(states)
        ]
        pairs = _pairs(code, columns)
        for lane in range(LANES):
            row = builder.mul(code.month(2, lane, args[3]), _LONG(states))
            for number, pair in enumerate(pairs):
                width = min(2, states - 2 * number)
                two = code.pick(pair, pair, [2 * lane, 2 * lane + 1][:width])
                at = code.spot(1, code.add(row, 2 * number), two.type)
                builder.store(two, at, align=4)
        return _nothing(context)

    return types.void(tag, table, place, types.intp, work, types.intp), build


@intrinsic
def add_rows(
    _typing: Any, tag: Any, table: Any, code: Any, place: Any, step: Any, work: Any, spot: Any
) -> Any:
    """Adds what `write_rows` would write, in full, to row `code[place[lane] + step]` of a float64 table (u, ROW)."""
    states = len(tag)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code_ = _Code(context, builder, signature, args)
        columns = [code_.load(5, code_.add(args[6], state * LANES)) for state in range(states)]
        columns += [ir.Constant(_VECTOR, [0.0] * LANES)] * (ROW - states)
        pairs = _pairs(code_, columns)
        for lane in range(LANES):
            mine = [2 * lane, 2 * lane + 1, 2 * lane + 2 * LANES, 2 * lane + 1 + 2 * LANES]
            row = code_.row(2, code_.month(3, lane, args[4]))
            seen = code_.load(1, row, ir.VectorType(_REAL, ROW))
            code_.store(1, row, builder.fadd(seen, code_.pick(pairs[0], pairs[1], mine)))
        return _nothing(context)

    return types.void(tag, table, code, place, types.intp, work, types.intp), build


def _fetched(write: int) -> Callable[..., Any]:
    @intrinsic
    def made(_typing: Any, array: Any, at: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            bytes_ = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [bytes_, _INT, _INT, _INT])
            call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            where = builder.bitcast(
                _Code(context, builder, signature, args).spot(0, args[1]), bytes_
            )
            builder.call(call, [where, _INT(write), _INT(3), _INT(1)])
            return _nothing(context)

        return types.void(array, types.intp), build

    return made  # type: ignore[no-any-return]


fetch_to_read, fetch_to_write = _fetched(0), _fetched(1)
"""Asks for the cache line of an element of a flat array before it is needed; changes nothing."""
