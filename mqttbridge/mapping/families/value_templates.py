"""Value templates of Home Assistant's discovery: jinja2 in its sandbox, narrowed down to what can be bounded.

A template comes from the network, so nothing in it may take long or grow large. It is parsed, and refused unless
each of its parts is on a list here; whatever goes through a sequence pays for it from a budget of the rendering;
what makes texts or numbers grow is replaced by something that minds its bounds. No regular expressions, since they
can take for ever; no clock, since the core has none.

The plain lookup `{{ value_json.power }}`, which is most of them, needs no jinja2 and keeps the value's type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

from jinja2 import Undefined, nodes
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer
from pydantic_core import from_json, to_json

from mqttbridge.events import Reason
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.validation import message_of

MAX_TEMPLATE_CHARS: Final = 4_000
# The longest templates in the field have about a hundred; the time of an evaluation grows with them.
_MAX_NODES: Final = 300
# A unit takes less than a microsecond: the worst template on the worst payload stays below 50 ms.
_BUDGET: Final = 20_000
_TURN_COST: Final = 200
_CONTEXTUAL_COST: Final = 8
_CHARS_A_UNIT: Final = 8
_MAX_TEXT: Final = 65_536
_MAX_BITS: Final = 1_024
# What a template's text may be, before it is read as a value.
_MAX_OUTPUT: Final = 8_192
# A fleet's devices share their templates.
_MAX_COMPILED: Final = 2_000

Template: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""From `value` and `value_json` to a text or a value; None where there is none. Raises Unusable."""

_LOOKUP: Final = re.compile(
    r"\s*\{\{-?\s*value_json"
    r"((?:\.[A-Za-z_]\w{0,99}|\[(?:'[^'\\]{0,99}'|\"[^\"\\]{0,99}\"|[0-9]{1,4})\])+)"
    r"\s*-?\}\}\s*"
)
_STEP: Final = re.compile(r"\.(\w+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[([0-9]+)\]")
_FORMAT: Final = re.compile(r"[^%]*%[-+ 0#]{0,5}[0-9]{0,2}(?:\.[0-9]{1,2})?[dsfgeGxX](?:%%|[^%])*")

_TEXT_METHODS: Final = frozenset(
    {"lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "startswith", "endswith",
     "isdigit", "isnumeric", "find", "count"}
)  # fmt: skip
_DICT_METHODS: Final = frozenset({"get", "items", "keys", "values"})
_JINJA_FILTERS: Final = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "items", "last", "length", "list", "lower",
    "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string", "sum", "title",
    "trim", "unique", "upper",
)  # fmt: skip
_NODES: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.Call, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg,
    nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Concat,
    nodes.CondExpr, nodes.If, nodes.For, nodes.Assign, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.Slice, nodes.NSRef,
)  # fmt: skip


class InvalidTemplate(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """Not a template that can be offered; the text says why."""


class _TooMuch(Exception):  # noqa: N818  # never leaves this module
    """A rendering went past its bounds."""


class Templates:
    """Compiles templates, each text once."""

    def __init__(self) -> None:
        self._environment = _Environment()
        self._compiled: dict[str, Template] = {}

    def compile(self, text: str) -> Template:
        """The template of a text.

        Raises:
            InvalidTemplate: it is broken, too long, or uses what cannot be bounded.
        """
        if (known := self._compiled.get(text)) is not None:
            return known
        if len(text) > MAX_TEMPLATE_CHARS:
            raise InvalidTemplate(f"the template has {len(text)} characters, at most {MAX_TEMPLATE_CHARS} are possible")
        lookup = _LOOKUP.fullmatch(text)
        template = _lookup(lookup[1]) if lookup else self._environment.template(text)
        if len(self._compiled) >= _MAX_COMPILED:
            self._compiled.clear()
        self._compiled[text] = template
        return template


def _lookup(path: str) -> Template:
    steps: list[str | int] = [
        int(index) if index else name or single or double for name, single, double, index in _STEP.findall(path)
    ]

    def look_up(variables: Mapping[str, Any]) -> Any:
        value = variables.get("value_json")
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    return look_up


class _Environment(SandboxedEnvironment):
    """The sandbox, with a budget for the rendering that is under way: it serves one thread."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(optimized=False)
        self.left = 0
        self.filters = {name: self._priced(FILTERS[name]) for name in _JINJA_FILTERS}
        self.filters |= {name: partial(self._paid, function) for name, function in _FILTERS.items()}
        self.filters |= {"replace": partial(self._paid, _replace), "join": partial(self._paid, _join)}
        self.tests = {name: test for name, test in self.tests.items() if name not in {"filter", "test"}}
        self.tests |= {"number": _is_number}
        self.globals = {**_GLOBALS, "range": _range, "namespace": _Namespace}
        self._offered = frozenset(self.filters)
        self.filters |= {"_paid": self._pay_for, "_turns": self._turns, "_concat": self._concat}

    # --- compiling -----------------------------------------------------------------------------------------

    def template(self, text: str) -> Template:
        try:
            tree = self.parse(text)
            self._check(tree)
            code = self.compile(_Bounding().visit(tree))
            template = self.template_class.from_code(self, code, {})
        except (TemplateError, SyntaxError, RecursionError, MemoryError) as error:
            raise InvalidTemplate(f"the template is broken: {message_of(error)}") from None
        render_pieces, new_context = template.root_render_func, template.new_context

        def render(variables: Mapping[str, Any]) -> str | None:
            self.left = _BUDGET
            pieces: list[str] = []
            length = 0
            try:
                for piece in render_pieces(new_context({**self.globals, **variables}, shared=True)):
                    length += len(piece)
                    if length > _MAX_OUTPUT:
                        break
                    pieces.append(piece)
            except UndefinedError:
                return None  # what this message does not say
            except _TooMuch as error:
                raise Unusable(Reason.VALIDATION, f"the template {error}") from None
            except Exception as error:  # noqa: BLE001  # code of others: it may divide by zero, add texts to numbers ...
                raise Unusable(Reason.VALIDATION, f"the template failed: {message_of(error)}") from None
            if length > _MAX_OUTPUT:
                raise Unusable(Reason.TEXT_TOO_LONG, f"the template makes more than {_MAX_OUTPUT} characters")
            return "".join(pieces).strip()

        return render

    def _check(self, tree: nodes.Template) -> None:
        count = 0
        waiting: list[tuple[nodes.Node, bool]] = [(tree, False)]
        while waiting:
            node, in_loop = waiting.pop()
            count += 1
            if count > _MAX_NODES:
                raise InvalidTemplate(f"the template has more than {_MAX_NODES} parts")
            if not isinstance(node, _NODES):
                raise InvalidTemplate(f"the template uses what is not offered: {type(node).__name__.lower()}")
            if isinstance(node, nodes.For):
                if in_loop or node.recursive:
                    raise InvalidTemplate("the template has a loop within a loop")
                in_loop = True
            self._check_name(node)
            waiting += [(child, in_loop) for child in node.iter_child_nodes()]

    def _check_name(self, node: nodes.Node) -> None:
        match node:
            case nodes.Filter() if node.name not in self._offered:
                raise InvalidTemplate(f"unknown filter {node.name!r} in the template")
            case nodes.Test() if node.name not in self.tests:
                raise InvalidTemplate(f"unknown test {node.name!r} in the template")
            case nodes.Call(node=nodes.Name(name=name)) if name not in self.globals:
                raise InvalidTemplate(f"unknown function {name!r} in the template")
            case _:
                pass

    # --- what a rendering may reach ------------------------------------------------------------------------

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            # A key first: payloads have keys such as `update` and `values`.
            if attribute in obj:
                return obj[attribute]
            if attribute in _DICT_METHODS:
                return getattr(obj, attribute)
        elif isinstance(obj, str):
            if attribute == "replace":
                return partial(self._paid, _replace, obj)
            if attribute in _TEXT_METHODS:
                self._pay_for(obj)
                return getattr(obj, attribute)
        elif isinstance(obj, LoopContext | Namespace | Undefined) and not attribute.startswith("_"):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict | list | tuple | str | Undefined):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        return self.undefined(obj=obj, name=str(argument))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        for operand in (left, right):
            if isinstance(operand, Undefined):
                raise UndefinedError("an operand is undefined")
        if operator == "+" and type(left) is type(right) and isinstance(left, str | list | tuple):
            self._pay_for(left)
            self._pay_for(right)
            if len(left) + len(right) > _MAX_TEXT:
                raise _TooMuch("makes too long a text")
            return left + right
        numbers = [operand for operand in (left, right) if isinstance(operand, int | float)]
        if len(numbers) < 2:
            raise TypeError(f"{operator!r} is for numbers")
        if operator == "**":
            return float(left) ** float(right)
        if operator == "*" and sum(number.bit_length() for number in numbers if isinstance(number, int)) > _MAX_BITS:
            raise _TooMuch("makes too large a number")
        return super().call_binop(context, operator, left, right)

    # --- what it costs -------------------------------------------------------------------------------------

    def _paid(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        for arg in args:
            self._pay_for(arg)
        return function(*args, **kwargs)

    def _priced(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter of jinja2's own; those that are given the context or the environment as well do more an item."""
        passed = getattr(function, "jinja_pass_arg", None)
        if passed is None:
            return partial(self._paid, function)

        def priced(context: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
            self._charge(_CONTEXTUAL_COST * _weight(value, self.left))
            return function(context, value, *args, **kwargs)

        priced.jinja_pass_arg = passed  # type: ignore[attr-defined]
        return priced

    def _pay_for(self, value: Any) -> Any:
        self._charge(_weight(value, self.left))
        return value

    def _charge(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise _TooMuch("takes too long")

    def _turns(self, iterable: Any) -> Any:
        for item in iterable:
            self._charge(_TURN_COST)
            yield item

    def _concat(self, parts: list[Any]) -> str:
        if len(text := "".join(str(self._pay_for(part)) for part in parts)) > _MAX_TEXT:
            raise _TooMuch("makes too long a text")
        return text


def _weight(value: Any, most: int) -> int:
    """What it costs to go through a value, and through all that is in it; some more than `most` is enough to know."""
    weight, waiting = 0, [value]
    while waiting and weight <= most:
        match waiting.pop():
            case str() as text:
                weight += 1 + len(text) // _CHARS_A_UNIT
            case dict() as items:
                weight += 1 + len(items)
                waiting += items.values()
            case list() | tuple() as items:
                weight += 1
                waiting += items
            case _:
                weight += 1
    return weight


class _Namespace(Namespace):
    """One that does not write out what is in it, since it may hold others."""

    def __repr__(self) -> str:
        return "namespace"


class _Bounding(NodeTransformer):
    """Puts a price on what jinja2 compiles to bare Python: loops, comparisons, `~`, lists of lists."""

    def visit_List(self, node: nodes.List) -> nodes.Filter:  # noqa: N802  # as the base class names it
        self.generic_visit(node)
        return _filtered(node, "_paid")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_paid")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_paid") if node.ctx == "load" else node

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_turns")
        return node

    def visit_Operand(self, node: nodes.Operand) -> nodes.Operand:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filtered(node.expr, "_paid")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_concat")


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


# --- the functions of Home Assistant's templates that discovery uses ---------------------------------------------

_NONE: Final = object()


def _defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise UndefinedError("the value is undefined")
    return value


def _float(value: Any, default: Any = _NONE) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, UndefinedError):
        if default is _NONE:
            _defined(value)
            raise ValueError("float got what is no number, and no default") from None
        return default


def _int(value: Any, default: Any = _NONE, base: int = 10) -> Any:
    try:
        return int(value, base) if isinstance(value, str) and base != 10 else int(float(value))
    except (TypeError, ValueError, OverflowError, UndefinedError):
        if default is _NONE:
            _defined(value)
            raise ValueError("int got what is no number, and no default") from None
        return default


def _bool(value: Any, default: Any = _NONE) -> Any:
    word = str(_defined(value)).strip().lower()
    if word in {"true", "yes", "on", "enable", "1", "1.0"}:
        return True
    if word in {"false", "no", "off", "disable", "0", "0.0"}:
        return False
    if default is _NONE:
        raise ValueError("bool got another word, and no default")
    return default


def _round(value: Any, precision: int = 0, method: str = "common", default: Any = _NONE) -> Any:
    number = _float(value, default)
    if number is default:
        return default
    scale = 10.0 ** min(max(int(precision), -30), 30)
    match method:
        case "ceil":
            number = math.ceil(number * scale) / scale
        case "floor":
            number = math.floor(number * scale) / scale
        case "half":
            number = round(number * 2) / 2
        case _:
            number = round(number, int(precision))
    return number if precision else int(number)


def _iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = _NONE) -> Any:
    if value is None and if_none is not _NONE:
        return if_none
    return if_true if value else if_false


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError, UndefinedError):
        return False


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float) or _is_number(value):
        return datetime.fromtimestamp(float(value), UTC)
    moment = datetime.fromisoformat(str(_defined(value))[:64])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_timestamp(value: Any, default: Any = _NONE) -> Any:
    try:
        return _moment(value).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        if default is _NONE:
            raise
        return default


def _as_datetime(value: Any, default: Any = _NONE) -> Any:
    try:
        return _moment(value)
    except (TypeError, ValueError, OverflowError, OSError):
        if default is _NONE:
            raise
        return default


def _iso(value: Any) -> str:
    return _moment(value).isoformat()


def _multiply(value: Any, amount: Any, default: Any = _NONE) -> Any:
    number = _float(value, default)
    return default if number is default else number * float(amount)


def _add(value: Any, amount: Any, default: Any = _NONE) -> Any:
    number = _float(value, default)
    return default if number is default else number + float(amount)


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, sought, put = str(_defined(value)), str(old), str(new)
    if len(text) + text.count(sought) * len(put) > _MAX_TEXT:
        raise _TooMuch("makes too long a text")
    return text.replace(sought, put, count)


def _join(values: Any, separator: Any = "") -> str:
    texts, between = [str(value) for value in values], str(separator)
    if sum(map(len, texts)) + len(between) * len(texts) > _MAX_TEXT:
        raise _TooMuch("makes too long a text")
    return between.join(texts)


def _format(pattern: Any, *values: Any) -> str:
    text = str(pattern)
    if len(values) != 1 or len(text) > MAX_TEMPLATE_CHARS or not _FORMAT.fullmatch(text):
        raise ValueError("format takes one value, and a pattern such as '%.1f'")
    return text % (_defined(values[0]),)


def _from_json(text: Any) -> Any:
    return from_json(str(_defined(text)).encode())


def _to_json(value: Any) -> str:
    return to_json(_defined(value)).decode()


def _range(*bounds: int) -> range:
    if len(numbers := range(*bounds)) > 1_000:
        raise _TooMuch("takes too long")
    return numbers


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "float": _float, "int": _int, "bool": _bool, "iif": _iif, "is_number": _is_number, "as_timestamp": _as_timestamp,
    "as_datetime": _as_datetime,
}  # fmt: skip
_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    **_FUNCTIONS,
    "round": _round, "is_defined": _defined, "multiply": _multiply, "add": _add, "format": _format,
    "from_json": _from_json, "to_json": _to_json, "tojson": _to_json, "timestamp_utc": _iso, "timestamp_local": _iso,
    "bitwise_and": lambda left, right: int(left) & int(right), "bitwise_or": lambda left, right: int(left) | int(right),
    "sqrt": lambda value: math.sqrt(_float(value)), "log": lambda value, base=math.e: math.log(_float(value), base),
    "ord": ord, "contains": lambda values, value: value in values,
}  # fmt: skip
_GLOBALS: Final[Mapping[str, Callable[..., Any]]] = {
    **_FUNCTIONS,
    "min": min, "max": max,
    "sqrt": lambda value: math.sqrt(_float(value)), "log": lambda value, base=math.e: math.log(_float(value), base),
    "from_json": _from_json, "to_json": _to_json,
}  # fmt: skip
