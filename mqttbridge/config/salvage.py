"""What can still be compiled of a configuration that is not valid, so that all problems come out at once.

Each rule and each field of a model is looked at by itself. What is broken, and has been reported, gives way to
a stand-in about which nothing can be complained: the rest is checked as if that were in order.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

from mqttbridge.config.destinations import EmbeddedConfig, InitialStateConfig
from mqttbridge.config.draft import Draft
from mqttbridge.config.http import HttpConfig
from mqttbridge.config.model import Config
from mqttbridge.config.models import FieldConfig, FieldType, ModelConfig
from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.config.rules import BUILT_IN_RULES, RuleConfig

_FIELD: Final = FieldConfig(type=FieldType.FLOAT)


def salvage(draft: Draft) -> Config:
    """A configuration of which `mqtt`, `http`, rules, models and destinations can be used, and nothing else."""
    data = draft.data()
    models, destinations = data.get("models", {}), data.get("destinations", {"dashboard": None})
    forget: dict[str, Any] = {}
    if not isinstance(models, dict):  # with no names to compare with, every name would look unknown
        models, forget["model"] = {}, None
    if not isinstance(destinations, dict):
        destinations, forget["to"] = {}, ()
    return Config.model_construct(
        mqtt=_mqtt(data.get("mqtt", {})),
        http=_http(data.get("http", {})),
        rules=tuple(rule.model_copy(update=forget) for rule in _rules(data.get("rules"))) or BUILT_IN_RULES,
        models={name: _model(model) for name, model in models.items()},
        destinations={name: _destination(destination) for name, destination in destinations.items()},
    )


def _mqtt(data: Any) -> MqttConfig | None:
    try:
        return None if data is None else MqttConfig.model_validate(data)
    except ValidationError:
        return None


def _destination(data: Any) -> EmbeddedConfig | InitialStateConfig:
    try:
        return InitialStateConfig.model_validate(data)
    except ValidationError:
        return EmbeddedConfig(type="embedded")


def _http(data: Any) -> HttpConfig:
    try:
        return HttpConfig.model_validate(data)
    except ValidationError:
        return HttpConfig()


def _model(data: Any) -> ModelConfig:
    return {name: _field(field) for name, field in data.items()} if isinstance(data, dict) else {"value": _FIELD}


def _field(data: Any) -> FieldConfig:
    try:
        return FieldConfig.model_validate(data)
    except ValidationError:
        return _FIELD


def _rules(data: Any) -> list[RuleConfig]:
    return [_rule(rule, index) for index, rule in enumerate(data)] if isinstance(data, list) else []


def _rule(data: Any, index: int) -> RuleConfig:
    try:
        return RuleConfig.model_validate(data)
    except ValidationError as invalid:
        broken = {error["loc"][0] if error["loc"] else "topic" for error in invalid.errors()}
    if "topic" not in broken:  # without it, no capture in the templates would be known
        sound = {key: value for key, value in data.items() if key not in broken}
        try:
            return RuleConfig.model_validate({"bucket": "-", "stream": "-"} | sound)
        except ValidationError:
            pass
    return RuleConfig(topic=f"{index}", bucket="-", stream="-")
