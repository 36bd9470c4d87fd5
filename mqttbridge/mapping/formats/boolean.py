"""`boolean`: one of the words that devices use for true and false, or of the rule's own."""

from __future__ import annotations

from typing import Final

from mqttbridge.config.formats import BooleanConfig
from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.formats.base import DocumentFormat
from mqttbridge.mapping.payload import parse_boolean, parse_text
from mqttbridge.mapping.unusable import Unusable, shown

_USUAL: Final = BooleanConfig()


def boolean_format(rule: RuleConfig) -> DocumentFormat:
    """The format of a rule."""
    if rule.boolean == _USUAL:
        return DocumentFormat(parse_boolean, has_fields=False)
    words = {_normal(word): truth for truth in (True, False) for word in _words(rule.boolean, truth=truth)}
    expected = " or ".join(_words(rule.boolean, truth=truth)[0] for truth in (True, False))

    def parse(payload: bytes) -> bool:
        text = parse_text(payload)
        truth = words.get(_normal(text))
        if truth is None:
            raise Unusable(Reason.MALFORMED, f"expected {expected} (got {shown(text)})")
        return truth

    return DocumentFormat(parse, has_fields=False)


def _words(config: BooleanConfig, *, truth: bool) -> tuple[str, ...]:
    return config.true_words if truth else config.false_words


def _normal(word: str) -> str:
    return word.strip().lower()
