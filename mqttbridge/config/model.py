"""The configuration's shape: one frozen pydantic model a section of the YAML file.

Each field's description is its documentation: `config.example.yaml` says the same in full, `check` and the
JSON Schema speak from here. Everything that can be checked without a file, clock or network is checked here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.config.broker_url import checked_broker_url
from mqttbridge.config.dashboards import DashboardConfig
from mqttbridge.config.formats import BooleanConfig, Compression, CsvConfig, InfluxConfig, LayoutConfig
from mqttbridge.config.origins import checked_network, checked_origin
from mqttbridge.config.quantities import Duration, Size
from mqttbridge.config.section import Section
from mqttbridge.config.sources import HttpPollConfig
from mqttbridge.config.stores import SqliteStoreConfig, StoreConfig
from mqttbridge.config.thinning import ThinConfig
from mqttbridge.config.values import DerivedConfig, ValueConfig

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
MIB, GIB = 2**20, 2**30


class RetainedPolicy(StrEnum):
    CHANGED = "changed"
    ACCEPT = "accept"
    IGNORE = "ignore"


class WhenFull(StrEnum):
    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"


class TlsConfig(Section):
    """How to check the broker's certificate, and which one to show."""

    ca_file: str | None = None
    """Certificates to trust; default: the system's."""
    cert_file: str | None = None
    """Our own certificate, for brokers that ask for one."""
    key_file: str | None = None
    """The key of `cert_file`."""
    key_password: SecretStr | None = None
    """Password of `key_file`."""
    verify: bool = True
    """Whether the broker's certificate and name are checked. Turning this off is for tests alone."""

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both or none")
        return self


class ReconnectConfig(Section):
    """Pauses between attempts to reach the broker: doubled each time, fully jittered."""

    min: Duration = Field(1.0, gt=0)
    """The first pause's upper end."""
    max: Duration = Field(2 * MINUTE, gt=0)
    """No pause is longer."""


class MqttConfig(Section):
    """The broker and our session there."""

    url: str = "mqtt://localhost:1883"
    """Where the broker is: mqtt://, mqtts://, ws://, wss:// or unix:///path/to/socket."""
    client_id: str = Field("mqttbridge", min_length=1, max_length=128)
    """Fixed, so that the broker keeps our session while we are away. Unique at the broker."""
    username: str | None = None
    """Who we say we are; null: we do not introduce ourselves."""
    password: SecretStr | None = None
    """The password that goes with `username`; better `${NAME}` or `!file path` than the word itself."""
    protocol: Literal["5", "3.1.1"] = "5"
    """MQTT version; 5 falls back to 3.1.1 by itself when the broker refuses it."""
    qos: Literal[0, 1] = 1
    """QoS of our subscriptions. QoS 2 is not offered: see docs/architecture.md."""
    keep_alive: Duration = Field(MINUTE, gt=0)
    """How often, at least, the broker and we hear from each other."""
    session_expiry: Duration = 7 * DAY
    """How long the broker keeps our session while we are away (MQTT 5)."""
    receive_maximum: int = Field(8192, ge=1, le=65535)
    """How many unacknowledged messages the broker may send ahead (MQTT 5)."""
    max_payload: Size = 1 * MIB
    """Longer payloads are rejected (kept cut, with the reason)."""
    retained: RetainedPolicy = RetainedPolicy.CHANGED
    """What to do with retained messages: `changed` stores one only if it differs from the last known value."""
    availability_topic: str | None = "mqttbridge/{client_id}/availability"
    """Where `online` and, by last will, `offline` is published, retained; null publishes nothing."""
    tls: TlsConfig = TlsConfig()
    reconnect: ReconnectConfig = ReconnectConfig()

    @field_validator("url")
    @classmethod
    def _broker_url(cls, url: str) -> str:
        return checked_broker_url(url)


class SpoolConfig(Section):
    """The durable queue between the broker's acknowledgement and delivery."""

    max_size: Size = Field(1 * GIB, ge=1 * MIB)
    """Upper bound of the spool on disk."""
    max_age: Duration = 7 * DAY
    """Older events are dropped and counted, though undelivered; 0 keeps them for ever."""
    when_full: WhenFull = WhenFull.BLOCK
    """`block` stops acknowledging, so the broker queues; the others drop and count."""
    linger: Duration = 0.0
    """How long to gather more messages before a commit; 1s spares an SD card, at the price of as much latency."""
    min_free_disk: Size = 64 * MIB
    """The spool counts as full when less than this is free on its disk."""
    rejected_max_rows: int = Field(10_000, ge=0)
    """How many rejected messages are kept for inspection; the oldest go first, counted."""


def host_and_port(listen: str) -> str:
    """The same text; ValueError when it is no address to listen at."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected host:port, as in 127.0.0.1:8080 or [::]:8080")
    return listen


def address_in(listen: str) -> tuple[str, int]:
    """Host (without brackets) and port."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


class HttpLimitsConfig(Section):
    """What each write key may send; without keys, all who write together. Off where it is null."""

    calls: int | None = Field(None, ge=1)
    """Requests in each window of `per`; the next is answered with 429 and `Retry-After`."""
    per: Duration = Field(10.0, ge=1)
    """How long a window of `calls` is."""
    reads: int | None = Field(None, ge=1)
    """Requests to the Read API in each minute; the next is answered with 429 and `Retry-After`."""
    events: int | None = Field(None, ge=1)
    """Events in each `period`; what goes beyond is answered with 402."""
    period: Duration = Field(30 * DAY, ge=1)
    """A period begins with the first event after the last one."""


class HttpConfig(Section):
    """The embedded server: page, Events API, metrics, health."""

    enabled: bool = True
    """Whether there is a server at all."""
    listen: str = "127.0.0.1:8080"
    """Address and port. On any address but loopback everybody needs a key."""
    write_keys: tuple[SecretStr, ...] = ()
    """Access keys that may send events and change everything. Loopback needs none."""
    view_tokens: tuple[SecretStr, ...] = ()
    """Tokens that may read. The write keys read, too."""
    embed_origins: tuple[str, ...] = ()
    """Sites whose pages may show a shared board in a frame."""
    image_origins: tuple[str, ...] = ()
    """Sites whose images the page may show."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies whose X-Forwarded-For is believed."""
    publish_topics: tuple[str, ...] = ()
    """Topics that controls on the dashboard may publish to, as MQTT filters; default: none."""
    max_viewers: int = Field(200, ge=1)
    """Browsers connected to the live stream at once; past it the answer is 503."""
    limits: HttpLimitsConfig = HttpLimitsConfig()

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        return host_and_port(listen)

    @field_validator("embed_origins", "image_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_origin(origin) for origin in origins)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_network(network) for network in networks)

    @field_validator("publish_topics")
    @classmethod
    def _filters(cls, filters: tuple[str, ...]) -> tuple[str, ...]:
        for one in filters:
            *first, last = one.split("/")
            if not one or "#" in "/".join(first) or (last not in ("#", "+") and {"#", "+"} & set(last)):
                raise ValueError(f"expected a topic or an MQTT filter such as home/+/set (got {one!r})")
            if any("+" in level and level != "+" for level in first):
                raise ValueError(f"'+' must be a whole level (got {one!r})")
        return filters

    @property
    def address(self) -> tuple[str, int]:
        """Host (without brackets) and port."""
        return address_in(self.listen)


class PlotlyConfig(Section):
    """The listener for programs that speak Plotly's streaming API. Who may stream: `mqttbridge token`."""

    listen: str | None = None
    """Address and port; null is off. Any address will do: every stream needs a token."""
    idle: Duration = Field(MINUTE, gt=0)
    """A stream that is silent for so long, heartbeats included, is ended with 408."""
    max_connections: int = Field(1000, ge=1, le=100_000)
    """Streams connected at once; past it the answer is 503."""
    max_line: Size = Field(1 * MIB, ge=1024, le=16 * MIB)
    """The longest line, such as one that overwrites a trace by lists."""

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str | None) -> str | None:
        return listen if listen is None else host_and_port(listen)


class RateLimit(Section):
    """At most `calls` requests in any `per`."""

    calls: int = Field(30, ge=1)
    """How many requests."""
    per: Duration = Field(10.0, gt=0)
    """In how long."""


class BatchConfig(Section):
    """When a batch is sent: as soon as it is full by count or bytes, at latest after `max_wait`."""

    max_events: int = Field(10, ge=1, le=100_000)
    """How many events make a batch full."""
    max_size: Size = Field(900_000, ge=1024)
    """Bytes of one request's body; the Events API refuses more than 1 MB."""
    max_wait: Duration = 1.0
    """How long the first event of a batch waits for others."""


class EmbeddedConfig(Section):
    """The dashboard and its store."""

    type: Literal["embedded"]
    """The dashboard of this process; there can be one."""
    retention: Duration = 30 * DAY
    """Older points are deleted; 0 keeps them for ever."""
    retention_by: dict[str, Duration] = Field(default_factory=dict)
    """How long for the buckets of a pattern (`*` any characters, `?` one); the first that matches counts."""
    store: StoreConfig = SqliteStoreConfig()
    """Where history and dashboards are kept."""


class Transport(StrEnum):
    JSON = "json"
    URL = "url"


class InitialStateConfig(Section):
    """Initial State's Events API, or any server that speaks it."""

    type: Literal["initialstate"]
    """Initial State, or any server that speaks its Events API, such as ours."""
    url: str = "https://groker.init.st/api"
    """Where the API is."""
    access_key: SecretStr
    """The account's access key; better `${NAME}` or `!file path` than the key itself."""
    transport: Transport = Transport.JSON
    """`json` posts batches; `url` sends one event a request by URL parameters (no timestamps: the server's clock)."""
    rate_limit: RateLimit = RateLimit()
    """Shared by all destinations with the same url and access_key."""
    batch: BatchConfig = BatchConfig()
    timeout: Duration = Field(30.0, gt=0)
    """How long to wait for an answer."""
    quota_pause: Duration = HOUR
    """How long to pause after 402 (the plan's events are used up); everything is kept meanwhile."""
    bucket_prefix: str = ""
    """Put before each bucket key, to keep several bridges of one account apart."""
    thin: tuple[ThinConfig, ...] = ()
    """Which events are enough for this destination; default: all."""

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("expected http:// or https://")
        return url.rstrip("/")


DestinationConfig = Annotated[EmbeddedConfig | InitialStateConfig, Field(discriminator="type")]


class FieldType(StrEnum):
    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    STR = "str"
    DATETIME = "datetime"
    ENUM = "enum"
    OBJECT = "object"


class TimeOf(StrEnum):
    FIRST = "first"
    LAST = "last"


class FieldConfig(ValueConfig):
    """One field of a model: its type, its bounds, where it stands in the payload, what is made of its value."""

    type: Annotated[FieldType | str, Field(union_mode="left_to_right")]
    """float, int, bool, str, datetime, enum (one of `choices`), object (of `fields`), or another model of `models`."""
    ge: float | None = None
    """A number must be at least this."""
    le: float | None = None
    """A number must be at most this."""
    gt: float | None = None
    """A number must be above this."""
    lt: float | None = None
    """A number must be below this."""
    choices: tuple[str | int | float | bool, ...] | None = None
    """The values to choose from."""
    pattern: str | None = None
    """Regular expression that the whole text must match."""
    max_length: int | None = Field(None, ge=1, le=2000)
    """The most characters a text may have."""
    lenient: bool = False
    """Takes a number or boolean that stands in a text, as `"21.5"`, and a text that is a number or boolean."""
    optional: bool = False
    """May be missing or null; then it makes no event."""
    default: str | int | float | bool | None = None
    """Used when the field is missing or null."""
    path: str | None = None
    """Where the field stands, as in `sensors[0].value`; `[*]` takes each item; default: a key of its own name."""
    as_: str | None = Field(None, alias="as")
    """With `[*]`: template of each item's name, from `{index}`, `{field}` and payload paths as `{sensors[*].name}`."""
    interval: Duration | None = Field(None, gt=0)
    """With `[*]`: the items are points of one stream, this far apart in time."""
    time_of: TimeOf = TimeOf.LAST
    """With `interval`: the item that the message's time belongs to."""
    fields: dict[str, FieldConfig] | None = None
    """The fields of an `object`."""
    variants: dict[str, str] | None = None
    """By this field's value: the model of the payload's further fields."""
    store: bool = True
    """Whether it makes events; false only checks it."""


ModelConfig = dict[str, FieldConfig]


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


class Family(StrEnum):
    """Kinds of devices whose topics and payloads are known without a rule."""

    ESPHOME = "esphome"
    HOMEASSISTANT = "homeassistant"
    OWNTRACKS = "owntracks"
    SHELLY = "shelly"
    SPARKPLUG = "sparkplug"
    TASMOTA = "tasmota"
    TTN = "ttn"
    ZIGBEE2MQTT = "zigbee2mqtt"


class UseConfig(Section):
    """A family of devices to take; its bare name stands for it with its defaults."""

    family: Family
    """Which devices."""
    base: str | None = Field(None, max_length=1000)
    """Topic before the family's own levels, as its devices are configured; default: the family's usual one."""
    bucket: str = "{device}"
    """Template of the bucket's name. Without `{device}`, the streams' names begin with the device."""
    to: tuple[str, ...] = ()
    """Names of destinations; default: every one."""
    values: dict[str, ValueConfig] = Field(default_factory=dict)
    """What is made of fields' values, as of a rule."""
    derive: dict[str, DerivedConfig] = Field(default_factory=dict)
    """Fields made of others by expressions, as of a rule."""
    thin: tuple[ThinConfig, ...] = ()
    """Which events are enough, as of a rule."""
    rebirth: bool = False
    """Of sparkplug: whether nodes are asked for their births where data cannot be read without, or were missed."""

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, data: Any) -> Any:
        return {"family": data} if isinstance(data, str) else data


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogConfig(Section):
    """What is logged, and how."""

    level: LogLevel = LogLevel.INFO
    """Records below this level are not written."""
    format: LogFormat = LogFormat.AUTO
    """`auto` writes text on a terminal and JSON elsewhere."""


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


class Config(Section):
    """The whole configuration."""

    mqtt: MqttConfig | None = MqttConfig()
    """Null runs the dashboard and its Events API alone."""
    sources: dict[str, HttpPollConfig] = Field(default_factory=dict)
    """Where messages come from beside the broker."""
    data_dir: str = "./mqttbridge-data"
    """Spool, store and lock live here; one bridge a directory."""
    spool: SpoolConfig = SpoolConfig()
    http: HttpConfig = HttpConfig()
    plotly: PlotlyConfig = PlotlyConfig()
    dashboards: dict[str, DashboardConfig] = Field(default_factory=dict)
    """Dashboards as code, by the bucket's name, or a pattern such as `site-*`; the first that matches holds."""
    destinations: dict[str, DestinationConfig] = Field({"dashboard": EmbeddedConfig(type="embedded")}, min_length=1)
    """Where events go, by a name of yours: letters, digits, `-` and `_`."""
    models: dict[str, ModelConfig] = Field(default_factory=dict)
    """What payloads must look like: models by name, each with its fields by name."""
    use: tuple[UseConfig, ...] = ()
    """Device families, in order: they take what no rule of `rules` does."""
    rules: tuple[RuleConfig, ...] = BUILT_IN_RULES
    """The first match wins; a rule with `continue: true` goes on to the next."""
    alerts: AlertsConfig = AlertsConfig()
    log: LogConfig = LogConfig()
    shutdown_timeout: Duration = 10.0
    """How long to go on delivering after a stop signal; the rest waits in the spool."""

    @field_validator("rules")
    @classmethod
    def _at_least_the_built_in(cls, rules: tuple[RuleConfig, ...], info: ValidationInfo) -> tuple[RuleConfig, ...]:
        if info.data.get("use"):
            return () if rules == BUILT_IN_RULES else rules
        return rules or BUILT_IN_RULES

    @model_validator(mode="after")
    def _streams_need_the_server(self) -> Self:
        if self.plotly.listen is not None and not self.http.enabled:
            raise ValueError("plotly.listen needs the HTTP server, which shows the figures: set http.enabled")
        return self

    @field_validator("sources")
    @classmethod
    def _plain_names_of_sources(cls, sources: dict[str, HttpPollConfig]) -> dict[str, HttpPollConfig]:
        for name in sources:
            if not name or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"a source's name is letters, digits, '-' and '_' (got {name!r})")
        return sources

    @field_validator("destinations")
    @classmethod
    def _plain_names(cls, destinations: dict[str, Any]) -> dict[str, Any]:
        for name in destinations:
            if not name or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"a destination's name is letters, digits, '-' and '_' (got {name!r})")
        if sum(isinstance(d, EmbeddedConfig) for d in destinations.values()) > 1:
            raise ValueError("there can be one embedded destination only")
        return destinations
