"""`use` of the configuration becomes compiled rules, behind those of `rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from mqttbridge.config.model import BadTimestamp, Config, Family, PayloadFormat, RuleConfig, UseConfig
from mqttbridge.mapping.compiling import CompiledRule, InvalidRules, Loc, compile_rules
from mqttbridge.mapping.families import esphome, owntracks, shelly, tasmota, ttn, zigbee2mqtt
from mqttbridge.mapping.families.family import FamilyRule, Readings
from mqttbridge.mapping.templates import InvalidTemplate, parse_template
from mqttbridge.mapping.topics import InvalidFilter, parse_filter

DEVICE: Final = "device"


class Known(NamedTuple):
    """A family that rules describe.

    Attributes:
        base: what usually stands before its topics; empty when nothing does.
        rules: in the order in which they are tried.
    """

    base: str
    rules: Sequence[FamilyRule]


FAMILIES: Final[Mapping[Family, Known]] = {
    Family.ESPHOME: Known("", esphome.RULES),
    Family.OWNTRACKS: Known("owntracks", owntracks.RULES),
    Family.SHELLY: Known("", shelly.RULES),
    Family.TASMOTA: Known("", tasmota.RULES),
    Family.TTN: Known("v3", ttn.RULES),
    Family.ZIGBEE2MQTT: Known("zigbee2mqtt", zigbee2mqtt.RULES),
}


def compile_families(config: Config) -> tuple[CompiledRule, ...]:
    """Compile the rules of every family in use, in their order.

    Raises:
        InvalidRules: with every problem of every `use`.
    """
    problems: list[tuple[Loc, str]] = []
    expanded: list[tuple[int, FamilyRule, RuleConfig]] = []
    for index, use in enumerate(config.use):
        found = [*_problems(use), *_repeated(config.use, index)]
        problems += [(("use", index, *where), what) for where, what in found]
        if not found:
            expanded += [(index, rule, configured) for rule, configured in _expand(use)]
    compiled: tuple[CompiledRule, ...] = ()
    try:
        rules = tuple(configured for _, _, configured in expanded)
        compiled = compile_rules(config.model_copy(update={"rules": rules, "models": {}}))
    except InvalidRules as invalid:
        # A family has many rules, and all of them say the same of what stands in its one place.
        located = [(("use", expanded[int(loc[1])][0], *loc[2:]), what) for loc, what in invalid.problems]
        problems += dict.fromkeys(located)
    if problems:
        raise InvalidRules(problems)
    return tuple(
        replace(made, model=Readings(rule.read, rule.units), parse=rule.parse, may_be_empty=True)
        for made, (_, rule, _) in zip(compiled, expanded, strict=True)
    )


def _problems(use: UseConfig) -> Iterator[tuple[Loc, str]]:
    """What is wrong with one `use` in itself; the destinations are checked with its rules."""
    if use.base:
        try:
            base = parse_filter(use.base)
        except InvalidFilter as error:
            yield ("base",), str(error)
        else:
            if not {"+", "#"}.isdisjoint(base.levels):
                yield ("base",), f"is the beginning of topics, without wildcards or captures (got {use.base!r})"
    try:
        parse_template(use.bucket, (DEVICE,))
    except InvalidTemplate as error:
        yield ("bucket",), str(error)


def _repeated(uses: Sequence[UseConfig], index: int) -> Iterator[tuple[Loc, str]]:
    use = uses[index]
    if any((use.family, use.base) == (other.family, other.base) for other in uses[:index]):
        yield (), f"{use.family} of this base stands here twice"


def _expand(use: UseConfig) -> Iterator[tuple[FamilyRule, RuleConfig]]:
    known = FAMILIES.get(use.family)
    if known is None:  # its devices announce their topics: see families/announced.py
        return
    base = known.base if use.base is None else use.base
    of = "" if use.base is None else f" of {use.base}"
    texts = [text.replace("{", "{{").replace("}", "}}") for text in parse_template(use.bucket, (DEVICE,)).parts[::2]]
    in_bucket = len(texts) > 1
    for rule in known.rules:
        yield (
            rule,
            RuleConfig(
                name=f"{use.family}{of}: {rule.name}",
                topic=f"{base}/{rule.topic}" if base else rule.topic,
                format=PayloadFormat.JSON,
                bucket=rule.device.join(texts),
                stream=rule.stream if in_bucket else f"{rule.device}.{rule.stream}",
                timestamp=rule.timestamp,
                bad_timestamp=BadTimestamp.ARRIVAL,
                to=use.to,
            ),
        )
