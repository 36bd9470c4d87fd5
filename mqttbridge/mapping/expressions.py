"""Expressions of the configuration, such as `temperature - (100 - humidity) / 5`.

The language is a part of Python's: `ast` reads it, and what is not on the short list below is an error at load.
It becomes a function made of functions; nothing is ever given to `eval`. Bounded are the text (by the
configuration), the nodes, the depth, and by both the time; no operation makes a number or a text that is large:
powers are of floats, and there is no arithmetic of texts.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, TypeAlias

from mqttbridge.events import Value

MAX_NODES: Final = 200
MAX_DEPTH: Final = 100
# More digits than a double has, either way.
_MAX_PLACES: Final = 15

_Fields: TypeAlias = Mapping[str, Value]
_Part: TypeAlias = Callable[[_Fields], Any]


class InvalidExpression(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """Not an expression of ours; the text says what is not."""


class ExpressionFailed(Exception):  # noqa: N818  # becomes a Rejected
    """It has no value for these fields; the text says why."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        text: as written.
        names: the fields that it needs.
    """

    text: str
    names: frozenset[str]
    _root: _Part

    def __call__(self, fields: _Fields) -> Value:
        """The value for these fields, which hold all of `names`.

        Raises:
            ExpressionFailed: a division by zero, a text where a number has to be, and the like.
        """
        try:
            value: Value = self._root(fields)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ExpressionFailed(str(error)) from None
        return value


def parse_expression(text: str) -> Expression:
    """Compile an expression.

    Raises:
        InvalidExpression: with what is wrong in plain words.
    """
    try:
        root = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise InvalidExpression(f"not an expression: {error.msg} at character {error.offset}") from None
    except (ValueError, MemoryError, RecursionError):  # a NUL; too deep for Python's own parser
        raise InvalidExpression("not an expression, or nested too deeply") from None
    compiler = _Compiler()
    part = compiler.part(root)
    return Expression(text, frozenset(compiler.names), part)


def unknown_name(name: str, known: Collection[str]) -> str:
    """What to say of a name that is no field."""
    close = get_close_matches(name, known, n=1)
    return f"unknown field {name!r}" + (f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})")


class _Compiler:
    """From the syntax tree to a function of the fields, and the names met on the way."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._nodes = 0
        self._depth = 0

    def part(self, node: ast.expr) -> _Part:
        self._nodes += 1
        self._depth += 1
        if self._nodes > MAX_NODES or self._depth > MAX_DEPTH:
            raise InvalidExpression(f"too long: at most {MAX_NODES} parts, nested at most {MAX_DEPTH} deep")
        part = self._part(node)
        self._depth -= 1
        return part

    def _part(self, node: ast.expr) -> _Part:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return _constant(value)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._field(_path(node))
            case ast.Call(func=ast.Name(id="field"), args=[ast.Constant(value=str(name))], keywords=[]):
                return self._field(name)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, args)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _binary(_BINARY[type(op)], self.part(left), self.part(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _not(self.part(operand))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                return _unary(_UNARY[type(op)], self.part(operand))
            case ast.BoolOp(op=op, values=values):
                parts = tuple(map(self.part, values))
                return partial(_all if isinstance(op, ast.And) else _any, parts)
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
                pairs = [(_COMPARISONS[type(op)], self.part(other)) for op, other in zip(ops, others, strict=True)]
                return partial(_compare, self.part(left), tuple(pairs))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return _choice(self.part(test), self.part(body), self.part(orelse))
            case _:
                raise InvalidExpression(f"{_shown(node)} is not offered in expressions")

    def _field(self, name: str) -> _Part:
        self.names.add(name)
        return operator.itemgetter(name)

    def _call(self, name: str, args: list[ast.expr]) -> _Part:
        if name not in _FUNCTIONS:
            close = get_close_matches(name, _FUNCTIONS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(_FUNCTIONS)})"
            raise InvalidExpression(f"unknown function {name!r}{hint}")
        function, least, most = _FUNCTIONS[name]
        if not least <= len(args) <= most:
            wanted = str(least) if least == most else f"{least} or more" if most == MAX_NODES else f"{least} to {most}"
            raise InvalidExpression(f"{name} takes {wanted} values (got {len(args)})")
        return partial(_call, function, tuple(map(self.part, args)))


def _path(node: ast.expr) -> str:
    """`motor.phases[0]` as the name that flattening gives: `motor.phases.0`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{_path(inner)}.{name}"
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() | str() as index)):
            return f"{_path(inner)}.{index}"
        case _:
            raise InvalidExpression(f"{_shown(node)} is not offered in expressions")


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return repr(text if len(text) <= 40 else text[:40] + "...")


# --- the functions that a compiled expression is made of: those of the most common parts are closures, since a
# closure's variables are the quickest to reach


def _constant(value: Value) -> _Part:
    return lambda _: value


def _binary(operation: Callable[[Any, Any], Any], left: _Part, right: _Part) -> _Part:
    def run(fields: _Fields) -> Any:
        one, other = left(fields), right(fields)
        if type(one) is str or type(other) is str:
            raise TypeError(f"a number is needed, not the text {_cut(one if type(one) is str else other)}")
        return operation(one, other)

    return run


def _unary(operation: Callable[[Any], Any], operand: _Part) -> _Part:
    return lambda fields: operation(_number(operand(fields)))


def _not(operand: _Part) -> _Part:
    return lambda fields: not _truth(operand(fields))


def _choice(test: _Part, body: _Part, orelse: _Part) -> _Part:
    return lambda fields: body(fields) if _truth(test(fields)) else orelse(fields)


def _all(parts: tuple[_Part, ...], fields: _Fields) -> bool:
    return all(_truth(part(fields)) for part in parts)


def _any(parts: tuple[_Part, ...], fields: _Fields) -> bool:
    return any(_truth(part(fields)) for part in parts)


def _compare(left: _Part, pairs: tuple[tuple[Callable[[Any, Any], bool], _Part], ...], fields: _Fields) -> bool:
    value = left(fields)
    for comparison, part in pairs:
        other = part(fields)
        if (type(value) is str) != (type(other) is str) and comparison not in (operator.eq, operator.ne):
            raise TypeError(f"a text has no order among numbers ({_cut(value)}, {_cut(other)})")
        if not comparison(value, other):
            return False
        value = other
    return True


def _call(function: Callable[..., Any], args: tuple[_Part, ...], fields: _Fields) -> Any:
    return function(*[_number(arg(fields)) for arg in args])


def _number(value: Value) -> float | int:
    if isinstance(value, str):
        raise TypeError(f"a number is needed, not the text {_cut(value)}")
    return value


def _truth(value: Value) -> bool:
    if isinstance(value, str):
        raise TypeError(f"a text is neither true nor false ({_cut(value)}); compare it, as in state == 'on'")
    return bool(value)


def _cut(value: Value) -> str:
    return repr(value) if not isinstance(value, str) or len(value) <= 40 else repr(value[:40]) + "..."


def _power(base: float, exponent: float) -> float:
    # Of floats, so that the result is a float or an overflow; of integers it could fill the memory.
    return math.pow(base, exponent)


def _round(value: float, places: float = 0) -> float:
    if not (isinstance(places, int) and -_MAX_PLACES <= places <= _MAX_PLACES):
        raise ValueError(f"round takes -{_MAX_PLACES} to {_MAX_PLACES} places")
    return round(value, places)


def _smallest(*values: float) -> float:
    return min(values)


def _largest(*values: float) -> float:
    return max(values)


_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: _power,
}  # fmt: skip
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
# Each with the least and the most values that it takes.
_FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], int, int]]] = {
    "min": (_smallest, 1, MAX_NODES),
    "max": (_largest, 1, MAX_NODES),
    "abs": (abs, 1, 1),
    "round": (_round, 1, 2),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "exp": (math.exp, 1, 1),
    "log": (math.log, 1, 1),
    "log10": (math.log10, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
}
