"""`use` of the configuration becomes compiled rules, behind those of `rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from mqttbridge.config.model import Config
from mqttbridge.config.mqtt import RetainedPolicy
from mqttbridge.config.rules import BadTimestamp, PayloadFormat, RuleConfig
from mqttbridge.config.use import Family, UseConfig
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.compiling import InvalidRules, Loc, compile_rules
from mqttbridge.mapping.families import esphome, owntracks, shelly, sparkplug, tasmota, ttn, zigbee2mqtt
from mqttbridge.mapping.families.announcing import Announcer, Changed
from mqttbridge.mapping.families.family import FamilyRule, Readings
from mqttbridge.mapping.families.knowledge import Knowledge
from mqttbridge.mapping.templates import InvalidTemplate, Slot, Template, parse_template
from mqttbridge.mapping.topics import InvalidFilter, parse_filter

if TYPE_CHECKING:
    from mqttbridge.mapping.families.discovery import Discovery

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
    Family.SPARKPLUG: Known("spBv1.0", sparkplug.RULES),
    Family.TASMOTA: Known("", tasmota.RULES),
    Family.TTN: Known("v3", ttn.RULES),
    Family.ZIGBEE2MQTT: Known("zigbee2mqtt", zigbee2mqtt.RULES),
}


def compile_families(config: Config, changed: Changed) -> tuple[tuple[CompiledRule, ...], tuple[Announcer, ...]]:
    """Compile the rules of every family in use, in their order; and what will know what the devices say of themselves.

    Args:
        config: the configuration.
        changed: told the topics whose rules are others now.

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
        compiled = _compiled(config, [(index, configured) for index, _, configured in expanded])
    except InvalidRules as invalid:
        problems += invalid.problems
    if problems:
        raise InvalidRules(problems)
    rules: list[CompiledRule] = []
    announcers: list[Announcer] = []
    placed = zip(compiled, expanded, strict=True)
    for index, of_use in groupby(placed, key=lambda one: one[1][0]):
        use = config.use[index]
        made = [(rule, _as_read(use, rule, made)) for made, (_, rule, _) in of_use]
        if any(rule.announces for rule, _ in made):
            knowledge = Knowledge(_base(use), changed)
            rules += knowledge.taught(made)
            announcers.append(knowledge)
        else:
            rules += [one for _, one in made]
    return tuple(rules), tuple(announcers)


def _as_read(use: UseConfig, rule: FamilyRule, made: CompiledRule) -> CompiledRule:
    bucket = _bucket(use, made.bucket)
    if made.series is not None:
        return replace(made, bucket=bucket)  # the format knows all that there is to know
    return replace(
        made,
        bucket=bucket,
        model=Readings(rule.read, rule.units),
        parse=rule.parse,
        may_be_empty=True,
    )


def discoveries(config: Config, changed: Changed) -> tuple[Discovery, ...]:
    """Families whose devices announce their topics; `changed` is told the topics whose rules are others now.

    Raises:
        InvalidRules: with every problem of every `use` of theirs that `compile_families` has not found.
    """
    announced = [(index, use) for index, use in enumerate(config.use) if use.family is Family.HOMEASSISTANT]
    if not announced:
        return ()
    try:
        from mqttbridge.mapping.families.discovery import BASE, Discovery  # noqa: PLC0415  # jinja2 is an extra
    except ModuleNotFoundError as error:
        what = f"homeassistant needs {error.name} for value templates: pip install 'mqttbridge[homeassistant]'"
        raise InvalidRules([(("use", index), what) for index, _ in announced]) from None
    if config.mqtt is not None and config.mqtt.retained is RetainedPolicy.IGNORE:
        what = "homeassistant lives on retained announcements: mqtt.retained cannot be 'ignore'"
        raise InvalidRules([(("use", index), what) for index, _ in announced])
    patterns = _compiled(
        config,
        [
            (
                index,
                RuleConfig(
                    name=f"homeassistant {index}",
                    topic=use.base or BASE,
                    bucket="homeassistant",
                    stream="x",
                    to=use.to,
                    values=use.values,
                    derive=use.derive,
                    thin=use.thin,
                ),
            )
            for index, use in announced
        ],
    )
    return tuple(Discovery(use, pattern, changed) for (_, use), pattern in zip(announced, patterns, strict=True))


def name_of_use(use: UseConfig) -> str:
    """What the names of its rules begin with; those that devices announce are told apart by themselves."""
    return use.family if use.base is None or use.family is Family.HOMEASSISTANT else f"{use.family} of {use.base}"


def _compiled(config: Config, placed: Sequence[tuple[int, RuleConfig]]) -> tuple[CompiledRule, ...]:
    """Rules compiled as those of the configuration are, their problems told at the places of their `use`."""
    try:
        return compile_rules(config.model_copy(update={"rules": tuple(rule for _, rule in placed), "models": {}}))
    except InvalidRules as invalid:
        # A family has many rules, and all of them say the same of what stands in its one place.
        located = [(("use", placed[int(loc[1])][0], *loc[2:]), what) for loc, what in invalid.problems]
        raise InvalidRules(list(dict.fromkeys(located))) from None


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
    if use.rebirth and use.family is not Family.SPARKPLUG:
        yield ("rebirth",), f"is for sparkplug: no other devices are asked for births (got {use.family})"
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
    if known is None:  # its devices announce their topics: see discovery.py
        return
    base = _base(use)
    in_bucket = bool(parse_template(use.bucket, (DEVICE,)).slots)
    for rule in known.rules:
        yield (
            rule,
            RuleConfig(
                name=f"{name_of_use(use)}: {rule.name}",
                topic=f"{base}/{rule.topic}" if base and not rule.absolute else rule.topic,
                # What a family reads itself comes to it as `parse` has it; see `_as_read`.
                format=PayloadFormat.SPARKPLUG if rule.format is PayloadFormat.SPARKPLUG else PayloadFormat.JSON,
                bucket=rule.device,  # for now: see `_bucket`
                stream=rule.stream if in_bucket else f"{rule.device}.{rule.stream}",
                timestamp=rule.timestamp,
                values=use.values,
                derive=use.derive,
                thin=use.thin,
                **({"rebirth": True} if use.rebirth else {}),
                bad_timestamp=BadTimestamp.ARRIVAL,
                to=use.to,
            ),
        )


def _base(use: UseConfig) -> str:
    """What stands before the topics of a family; maybe nothing."""
    return FAMILIES[use.family].base if use.base is None else use.base


def _bucket(use: UseConfig, device: Template) -> Template:
    """The bucket's template with a rule's device in the place of `{device}`, each of its captures filtered as that."""
    wanted = parse_template(use.bucket, (DEVICE,))
    texts, slots = [wanted.texts[0]], list[Slot]()
    for place, text in zip(wanted.slots, wanted.texts[1:], strict=True):
        texts[-1] += device.texts[0]
        slots += [replace(slot, filters=place.filters) for slot in device.slots]
        texts += device.texts[1:]
        texts[-1] += text
    return Template(tuple(texts), tuple(slots))
