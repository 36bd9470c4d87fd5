"""jinja2's sandbox, narrowed down to what can be bounded: what a template may say, reach and cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from jinja2 import Undefined, nodes
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from mqttbridge.events import Reason
from mqttbridge.mapping.families.template_budget import MAX_TEXT, Budget, TooMuch
from mqttbridge.mapping.families.template_expressions import Expressions
from mqttbridge.mapping.families.template_functions import (
    FILTERS as OF_HOME_ASSISTANT,
    GLOBALS,
    Dictionaries,
    is_number,
    replace,
)
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.validation import message_of

# The longest templates in the field have about two hundred and fifty; the time of an evaluation grows with them.
_MAX_NODES: Final = 300
_TURN_COST: Final = 200
_MAX_LOOPS: Final = 2
_CONTEXTUAL_COST: Final = 8
_MAX_BITS: Final = 1_024
# What a template's text may be, before it is read as a value.
_MAX_OUTPUT: Final = 8_192

_TEXT_METHODS: Final = frozenset(
    {"lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "startswith", "endswith",
     "isdigit", "isnumeric", "find", "count"}
)  # fmt: skip
_TIME_PARTS: Final = frozenset(
    {"isoformat", "timestamp", "total_seconds", "year", "month", "day", "hour", "minute", "second", "days", "seconds"}
)
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
    nodes.Slice, nodes.NSRef, nodes.Continue, nodes.Break,
)  # fmt: skip


class InvalidTemplate(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """Not a template that can be offered; the text says why."""


class Sandbox(SandboxedEnvironment):
    """The sandbox, with a budget for the rendering that is under way: it serves one thread."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(optimized=False, extensions=("jinja2.ext.loopcontrols",))
        self._budget = Budget()
        expressions = Expressions(self._budget)
        self.filters = {name: self._priced(FILTERS[name]) for name in _JINJA_FILTERS}
        self.filters |= {name: partial(self._paid, function) for name, function in OF_HOME_ASSISTANT.items()}
        self.filters |= expressions.filters
        self.tests = {name: test for name, test in self.tests.items() if name not in {"filter", "test"}}
        self.tests |= {"number": is_number, **expressions.tests}
        self.globals = {**GLOBALS, "namespace": _Namespace, "this": {"attributes": {}}}  # no entity has a state here
        self.globals |= {"zip": partial(self._paid, GLOBALS["zip"]), "dict": Dictionaries(self._budget)}
        self._offered = frozenset(self.filters)
        self.filters |= {"_paid": self._budget.pay_for, "_turns": self._turns, "_concat": self._concat}

    # --- compiling -----------------------------------------------------------------------------------------

    def template(self, text: str) -> Callable[[Mapping[str, Any]], str | None]:
        """A template: from variables to a text, None where something it asks for is not there; it raises Unusable.

        Raises:
            InvalidTemplate: it is broken, or uses what cannot be bounded.
        """
        try:
            tree = self.parse(text)
            self._check(tree)
            code = self.compile(_Bounding().visit(tree))
            template = self.template_class.from_code(self, code, {})
        except (TemplateError, SyntaxError, RecursionError, MemoryError) as error:
            raise InvalidTemplate(f"the template is broken: {message_of(error)}") from None
        render_pieces, new_context = template.root_render_func, template.new_context

        def render(variables: Mapping[str, Any]) -> str | None:
            self._budget.begin()
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
            except TooMuch as error:
                raise Unusable(Reason.VALIDATION, f"the template {error}") from None
            except Exception as error:  # noqa: BLE001  # code of others: it may divide by zero, add texts to numbers ...
                raise Unusable(Reason.VALIDATION, f"the template failed: {message_of(error)}") from None
            if length > _MAX_OUTPUT:
                raise Unusable(Reason.TEXT_TOO_LONG, f"the template makes more than {_MAX_OUTPUT} characters")
            return "".join(pieces).strip()

        return render

    def _check(self, tree: nodes.Template) -> None:
        count = 0
        waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
        while waiting:
            node, loops = waiting.pop()
            count += 1
            if count > _MAX_NODES:
                raise InvalidTemplate(f"the template has more than {_MAX_NODES} parts")
            if not isinstance(node, _NODES):
                raise InvalidTemplate(f"the template uses what is not offered: {type(node).__name__.lower()}")
            if isinstance(node, nodes.For):
                loops += 1
                if loops > _MAX_LOOPS or node.recursive:
                    raise InvalidTemplate(f"the template has more than {_MAX_LOOPS} loops within each other")
            self._check_name(node)
            waiting += [(child, loops) for child in node.iter_child_nodes()]

    def _check_name(self, node: nodes.Node) -> None:
        match node:
            case nodes.Filter() if node.name not in self._offered:
                raise InvalidTemplate(f"unknown filter {node.name!r} in the template")
            case nodes.Test() if node.name not in self.tests:
                raise InvalidTemplate(f"unknown test {node.name!r} in the template")
            case nodes.Call(node=nodes.Name(name=name)) if name not in self.globals and name != "now":
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
                return partial(self._paid, replace, obj)
            if attribute in _TEXT_METHODS:
                self._budget.pay_for(obj)
                return getattr(obj, attribute)
        elif isinstance(obj, datetime | timedelta):
            if attribute in _TIME_PARTS:
                return getattr(obj, attribute)
        elif isinstance(obj, Dictionaries) and attribute == "from_keys":
            return obj.from_keys
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
            self._budget.pay_for(left)
            self._budget.pay_for(right)
            if len(left) + len(right) > MAX_TEXT:
                raise TooMuch("makes too long a text")
            return left + right
        if operator == "+" and isinstance(left, datetime | timedelta) and isinstance(right, datetime | timedelta):
            return left + right  # type: ignore[operator]  # two moments have no sum, which is told
        numbers = [operand for operand in (left, right) if isinstance(operand, int | float)]
        if len(numbers) < 2:
            raise TypeError(f"{operator!r} is for numbers")
        if operator == "**":
            return float(left) ** float(right)
        if operator == "*" and sum(number.bit_length() for number in numbers if isinstance(number, int)) > _MAX_BITS:
            raise TooMuch("makes too large a number")
        return super().call_binop(context, operator, left, right)

    # --- what it costs -------------------------------------------------------------------------------------

    def _paid(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        for arg in args:
            self._budget.pay_for(arg)
        return function(*args, **kwargs)

    def _priced(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter of jinja2's own; those that are given the context or the environment as well do more an item."""
        passed = getattr(function, "jinja_pass_arg", None)
        if passed is None:
            return partial(self._paid, function)

        def priced(context: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
            self._budget.charge(_CONTEXTUAL_COST * self._budget.weight(value))
            return function(context, value, *args, **kwargs)

        priced.jinja_pass_arg = passed  # type: ignore[attr-defined]
        return priced

    def _turns(self, iterable: Any) -> Any:
        for item in iterable:
            self._budget.charge(_TURN_COST)
            yield item

    def _concat(self, parts: list[Any]) -> str:
        if len(text := "".join(str(self._budget.pay_for(part)) for part in parts)) > MAX_TEXT:
            raise TooMuch("makes too long a text")
        return text


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
