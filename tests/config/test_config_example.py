"""config.example.yaml is the reference of the configuration, so it is held to the models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mqttbridge.config import schema
from mqttbridge.config.draft import Draft
from mqttbridge.config.formats import Compression
from mqttbridge.config.loading import load_config, read_draft
from mqttbridge.config.model import Config
from mqttbridge.config.rules import PayloadFormat, RuleConfig
from mqttbridge.config.schema import Loc
from mqttbridge.config.stores import PostgresStoreConfig
from mqttbridge.config.use import Family
from mqttbridge.mapping.filters import FILTERS

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
ENVIRON = {
    "MQTT_PASSWORD": "p",
    "INITIALSTATE_ACCESS_KEY": "k",
    "OPENWEATHER_KEY": "o",
    "CHAT_WEBHOOK": "https://chat.example.org/token",
    "PHONE_URL": "ntfy://topic",
    "SMTP_PASSWORD": "s",
}


@pytest.fixture(scope="module")
def uncommented(tmp_path_factory) -> Path:
    """The example with every `#key: default` made a `key: default`."""
    path = tmp_path_factory.mktemp("example") / "config.yaml"
    path.write_text(re.sub(r"(?m)^( *)#([a-z_]+:)", r"\1\2", EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def places(draft: Draft, loc: Loc = ()) -> set[Loc]:
    """Every place in the draft that has a key."""
    found = {(*loc, key) for key in draft.keys_at(loc)}
    inner = {place for key in found for place in places(draft, key)}
    items = {place for index in range(draft.length_at(loc)) for place in places(draft, (*loc, index))}
    return found | inner | items


def value_at(config: object, loc: Loc) -> object:
    for part in loc:
        if isinstance(config, dict | tuple):
            config = config[part]
        else:
            config = getattr(config, f"{part}_" if part in ("continue", "as", "for", "is") else str(part))
    return config


def default_at(loc: Loc) -> object:
    sections = [type_ for type_ in schema._types_at(loc[:-1]) if schema._is_section(type_)]
    fields = [fields[str(loc[-1])] for fields in map(schema._fields, sections) if loc[-1] in fields]
    (default, *others) = (field.get_default(call_default_factory=True) for field in fields)
    assert all(other == default for other in others)  # where several types have the key
    return default


def test_it_loads_as_it_is():
    config = load_config(EXAMPLE, ENVIRON).config
    assert [rule.name for rule in config.rules] == ["climate", "power", "doors", "loggers", "telegraf", "lora"]


def test_it_loads_with_every_default_written_out_and_is_the_same(uncommented):
    assert load_config(uncommented, ENVIRON).config == load_config(EXAMPLE, ENVIRON).config


def test_each_key_of_each_section_is_in_it(uncommented):
    there = {
        tuple(part for part in place if isinstance(part, str)) for place in places(read_draft(uncommented, ENVIRON))
    }
    wanted = {
        *schema.key_paths(),
        *(("destinations", "dashboard", key) for key in ("type", "retention", "retention_by")),
        *(("destinations", "cloud", *path) for path in schema.key_paths(("destinations", "cloud"))),
        *(("sources", "weather", *path) for path in schema.key_paths(("sources", "weather"))),
        *(("rules", key) for key in schema.keys_at(("rules", 0))),
        *(("use", key) for key in schema.keys_at(("use", 0))),
        *(("alerts", "rules", *path) for path in schema.key_paths(("alerts", "rules", 0))),
    }
    of_the_other_type = {("destinations", "cloud", key) for key in ("retention", "retention_by")}
    stores = {place for place in wanted if place[2:3] == ("store",)}  # one of two, so it stands there in words
    assert wanted - there - of_the_other_type - stores == set()
    actions = {place[3] for place in there if place[:2] == ("alerts", "actions") and len(place) == 4}
    assert actions == set(schema.keys_at(("alerts", "actions", "chat")))
    fields = {place[3] for place in there if place[0] == "models" and len(place) == 4}
    assert fields == set(schema.keys_at(("models", "Climate", "mode")))


def test_each_key_of_a_store_in_postgres_is_in_it():
    shown = EXAMPLE.read_text(encoding="utf-8").partition("    # store:\n")[2].partition("\n\n")[0]
    keys = {field.alias or name for name, field in PostgresStoreConfig.model_fields.items()}
    assert set(re.findall(r"(?m)^ +#   ([a-z_]+):", shown)) == keys


def test_each_default_that_it_shows_is_the_real_one(uncommented):
    shown = places(read_draft(uncommented, ENVIRON)) - places(read_draft(EXAMPLE, ENVIRON))
    config = load_config(uncommented, ENVIRON).config
    leaves = {place for place in shown if not any(other != place and other[: len(place)] == place for other in shown)}
    assert len(leaves) > 40
    assert {place: value_at(config, place) for place in leaves} == {place: default_at(place) for place in leaves}


def test_it_says_which_keys_of_a_rule_have_no_default():
    required = {name for name, field in RuleConfig.model_fields.items() if field.is_required()}
    rule, *_ = load_config(EXAMPLE, ENVIRON).config.rules
    assert required <= rule.model_fields_set


def test_it_fits_the_width_of_a_page():
    assert max(map(len, EXAMPLE.read_text(encoding="utf-8").splitlines())) <= 120


def test_all_defaults_are_what_no_file_gives():
    assert load_config(None, {}).config == Config()


# The mapping language by its features, whether the example uses one or names it in a comment. That each key is there is
# tested above; these are what stands in a key's value.
FEATURES = {
    "a capture": r"topic: \S*\{room\}",
    "a capture with a pattern": r"topic: \S*\{\w+:\[",
    "a capture of all the rest": r"\{name#\}",
    "a shared subscription": r"\$share/",
    **{f"the filter {name}": rf"Filters may follow:\n[^\n]*\b{name}\b" for name in FILTERS},
    "a field of the payload in a name": r"\{payload\.id",
    "a user property in a name": r"\{property\.",
    **{f"the format {name.value}": rf"\b{name.value}\b" for name in PayloadFormat},
    **{f"the compression {name.value}": rf"\b{name.value}\b" for name in Compression},
    **{f"the family {name.value}": rf"\b{name.value}\b" for name in Family},
    "a path with an index": r"\w\[0\]\.\w",
    "a path with a wildcard": r"path: \"\w+\[\*\]\"",
    "a name from beside an item": r"as: \"\{\w+\[\*\]\.name",
    "a model within a model": r"type: Climate",
    "an object of fields": r"type: object",
    "one of several models": r"variants",
    "a time as a value": r"type: datetime",
    "an enumeration": r"type: enum",
    "points over a period": r"interval: 100ms",
    "a user property as a field": r"path\. `property\.NAME`|`property\.NAME` is a",
    "the content type": r"property\.content_type",
    "a model in Python": r"package\.module:Model",
    "units converted": r"to: kWh",
    "words mapped": r"map: \{",
    "a counter": r"counter: delta",
    "a derived field": r"expr: \"",
    "a deadband in percent": r'"2%"',
    **{f"{key} as thinning": rf"\b{key}:" for key in ("deadband", "changed", "throttle", "sample", "at_least_every")},
    **{f"samples by {name}": rf"\b{name}\b" for name in ("mean", "min", "max", "last", "count")},
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_of_the_mapping_language_is_shown(feature):
    assert re.search(FEATURES[feature], EXAMPLE.read_text(encoding="utf-8"))
