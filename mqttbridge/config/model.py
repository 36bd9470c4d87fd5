"""The whole configuration: one frozen pydantic model a section of the YAML file, each in a module of its own.

Each field's description is its documentation: `config.example.yaml` says the same in full, `check` and the
JSON Schema speak from here. Everything that can be checked without a file, clock or network is checked here.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.config.dashboards import DashboardConfig
from mqttbridge.config.destinations import DestinationConfig, EmbeddedConfig
from mqttbridge.config.http import HttpConfig
from mqttbridge.config.logs import LogConfig
from mqttbridge.config.models import ModelConfig
from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.config.plotly import PlotlyConfig
from mqttbridge.config.quantities import Duration
from mqttbridge.config.rules import BUILT_IN_RULES, RuleConfig
from mqttbridge.config.section import Section
from mqttbridge.config.sources import HttpPollConfig
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.config.use import UseConfig


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
