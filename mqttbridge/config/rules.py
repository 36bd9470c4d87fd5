"""Which topics become which streams."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from mqttbridge.config.formats import BooleanConfig, Compression, CsvConfig, InfluxConfig, LayoutConfig
from mqttbridge.config.quantities import DAY, Duration
from mqttbridge.config.section import Section
from mqttbridge.config.thinning import ThinConfig
from mqttbridge.config.values import DerivedConfig, ValueConfig


class PayloadFormat(StrEnum):
    AUTO = "auto"
    JSON = "json"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    CSV = "csv"
    INFLUX = "influx"
    CBOR = "cbor"
    MSGPACK = "msgpack"
    HEX = "hex"
    STRUCT = "struct"
    SPARKPLUG = "sparkplug"


class BadTimestamp(StrEnum):
    REJECT = "reject"
    ARRIVAL = "arrival"


class Extra(StrEnum):
    IGNORE = "ignore"
    REJECT = "reject"
    STREAMS = "streams"


class RuleConfig(Section):
    """Which topics become which streams, and how."""

    name: str = ""
    """Shown in logs, metrics and Rejected; default: `rule N`."""
    topic: str = Field(min_length=1)
    """Topic filter: `+`, `{name}` and `{name:pattern}` match one level, a last `#` or `{name#}` the rest."""
    format: PayloadFormat = PayloadFormat.AUTO
    """How to read the payload; `auto` takes JSON where it is JSON, else text."""
    compression: Compression = Compression.NONE
    """How payloads are packed: gzip, zlib, deflate (raw), or auto (gzip and zlib by their first bytes)."""
    boolean: BooleanConfig = BooleanConfig()
    """The words of `format: boolean`."""
    csv: CsvConfig = CsvConfig()
    """The lines of `format: csv`."""
    influx: InfluxConfig = InfluxConfig()
    """The lines of `format: influx`."""
    rebirth: bool = False
    """Whether Sparkplug nodes are asked for their births where data cannot be read without, or were missed."""
    layout: LayoutConfig | None = None
    """The bytes' meaning, for `hex` and `struct`."""
    model: str | None = None
    """A model of `models`, or `package.module:Model`. Without one, whatever the payload holds is taken."""
    extra: Extra = Extra.IGNORE
    """What to do with payload fields that the model does not name; `streams` stores them as they are."""
    bucket: str
    """Template of the bucket's name, from the topic's captures, `{payload.KEY}` and `{property.NAME}`."""
    stream: str
    """Template of the stream's name, from the same and `{field}`."""
    unit: str = Field("", max_length=16)
    """Unit of the rule's streams where no model's field says it."""
    values: dict[str, ValueConfig] = Field(default_factory=dict)
    """What is made of the values of fields, by name or pattern; says more than the model, key by key."""
    derive: dict[str, DerivedConfig] = Field(default_factory=dict)
    """Fields made of others by an expression; one that the payload has is replaced."""
    thin: tuple[ThinConfig, ...] = ()
    """Which events are enough; default: all. Every destination gets what is left."""
    retention: Duration | None = None
    """How long the dashboard keeps the rule's streams, whatever the destination says; 0: for ever. Needs a `name`."""
    timestamp: str | None = None
    """Payload path of the measurement's time (epoch s, ms, us or ns, or ISO 8601), or `property.NAME`."""
    bad_timestamp: BadTimestamp = BadTimestamp.REJECT
    """A time that is missing, unreadable or outside the window: reject the message, or use its arrival."""
    max_past: Duration = 3650 * DAY
    """How far a payload's time may lie before arrival. The Events API replaces times older than 10 years."""
    max_future: Duration = DAY
    """How far it may lie after arrival."""
    to: tuple[str, ...] = ()
    """Names of destinations; default: every one."""
    continue_: bool = Field(False, alias="continue")
    """Whether the rules after this one are tried as well."""


# With no rules of their own, users see every topic: bucket = first level, stream = the rest joined by dots,
# JSON flattened below it. A topic of one level has no rest (and `{rest#}` would match it with an empty one), so it
# comes first and its fields name the streams. A leading slash makes an empty first level, which names nothing.
BUILT_IN_RULES = tuple(
    RuleConfig(name=f"built-in {topic}", topic=topic, bucket="{bucket}", stream=stream)
    for topic, stream in (
        ("/{bucket}", "{field}"),
        ("/{bucket}/{rest#}", "{rest}"),
        ("{bucket}", "{field}"),
        ("{bucket}/{rest#}", "{rest}"),
    )
)
