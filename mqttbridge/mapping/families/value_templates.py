"""Value templates of Home Assistant's discovery: jinja2 in its sandbox, narrowed down to what can be bounded.

A template comes from the network, so nothing in it may take long or grow large. It is parsed, and refused unless
each of its parts is on a list here; whatever goes through a sequence pays for it from a budget of the rendering;
what makes texts or numbers grow is replaced by something that minds its bounds; regular expressions pay for their worst
case before they run. `now()` is when the message came, since the core has no clock.

The plain lookup `{{ value_json.power }}`, which is most of them, needs no jinja2 and keeps the value's type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from mqttbridge.mapping.families.template_functions import MAX_TEMPLATE_CHARS
from mqttbridge.mapping.families.template_sandbox import InvalidTemplate, Sandbox

__all__ = ["MAX_TEMPLATE_CHARS", "InvalidTemplate", "Template", "Templates"]

# A fleet's devices share their templates.
_MAX_COMPILED: Final = 2_000

Template: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""From `value`, `value_json` and `now` to a text or a value; None where there is none. Raises Unusable."""

_LOOKUP: Final = re.compile(
    r"\s*\{\{-?\s*value_json"
    r"((?:\.[A-Za-z_]\w{0,99}|\[(?:'[^'\\]{0,99}'|\"[^\"\\]{0,99}\"|[0-9]{1,4})\])+)"
    r"\s*-?\}\}\s*"
)
_STEP: Final = re.compile(r"\.(\w+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[([0-9]+)\]")


class Templates:
    """Compiles templates, each text once."""

    def __init__(self) -> None:
        self._environment = Sandbox()
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
