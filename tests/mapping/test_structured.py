"""Models with more than one value a field. What they make of messages is in tests/golden; here is the rest."""

import math

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter

from mqttbridge.config.model import Config
from mqttbridge.config.models import ModelConfig
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.building import configured_model
from mqttbridge.mapping.flatten import MAX_FIELDS, flatten
from mqttbridge.mapping.models import FlatModel, InvalidModel
from mqttbridge.mapping.structured import StructuredModel
from mqttbridge.mapping.unusable import Unusable

MODELS = TypeAdapter(dict[str, ModelConfig])


def built(name="M", **models):
    configs = MODELS.validate_python(models)
    return configured_model(configs[name], configs, name)


def problems(**models):
    with pytest.raises(InvalidModel) as caught:
        built(**models)
    return caught.value.problems


def rejection(model, document):
    with pytest.raises(Unusable) as caught:
        model.fields(document, b"")
    return caught.value.reason, caught.value.detail


VALUE = {"type": "float"}
ITEMS = {"type": "float", "path": "items[*]"}


def test_a_model_of_plain_fields_stays_one_validator():
    model = built(M={"a": VALUE | {"path": "x[0].y"}, "b": {"type": "enum", "choices": [1]}, "c": VALUE})

    assert isinstance(model, FlatModel)
    assert isinstance(built(M={"a": ITEMS}), StructuredModel)


@pytest.mark.parametrize(
    ("field", "where", "what"),
    [
        ({"type": "flaot"}, ("type",), "unknown type 'flaot'; did you mean 'float'?"),
        ({"type": "Othr"}, ("type",), "unknown type 'Othr'; did you mean 'Other'?"),
        ({"type": "enum"}, ("choices",), "required, but missing"),
        ({"type": "object"}, ("fields",), "required, but missing"),
        ({"type": "object", "fields": {}}, ("fields",), "required, but missing"),
        ({"type": "Other", "fields": {"a": VALUE}}, ("fields",), "belong to `type: object`"),
        ({"type": "float", "fields": {"a": VALUE}}, ("fields",), "does not apply to type float (only to object)"),
        ({"type": "Other", "unit": "m"}, ("unit",), "does not apply to type Other"),
        ({"type": "Other", "ge": 1}, ("ge",), "does not apply to type Other (only to float and int)"),
        ({"type": "Other", "store": False}, ("store",), "applies to a single value"),
        ({"type": "Other", "path": "property.x"}, ("path",), "a property is a text"),
        ({"type": "datetime", "lenient": True}, ("lenient",), "does not apply to type datetime"),
        ({"type": "datetime", "default": "soon"}, ("default",), "must be a time"),
        ({"type": "float", "path": "a[x]"}, ("path",), "a payload path is keys and list indexes"),
        ({"type": "float", "as": "{index}"}, ("as",), "names the items of a `path` with '[*]', and there is none"),
        (ITEMS | {"as": "{indx"}, ("as",), "'{' is never closed"),
        (ITEMS | {"as": "{index|sulg}"}, ("as",), "unknown filter 'sulg'; did you mean 'slug'?"),
        (ITEMS | {"as": "x"}, ("as",), "gives all items one name"),
        (ITEMS | {"as": "{name}"}, ("as",), "gives all items one name"),
        (
            ITEMS | {"as": "{others[*].name}"},
            ("as",),
            "is not beside an item: up to its '[*]' it must be as 'items[*]'",
        ),
        (ITEMS | {"as": "{items[*].a[*]}"}, ("as",), "is not beside an item"),
        (ITEMS | {"store": False}, ("store",), "applies to a single value"),
        ({"type": "float", "interval": "1s"}, ("interval",), "needs a `path` with one '[*]' (got none)"),
        (ITEMS | {"path": "a[*].b[*]", "interval": "1s"}, ("interval",), "needs a `path` with one '[*]'"),
        (ITEMS | {"interval": "1s", "as": "{index}"}, ("as",), "with `interval` all items are points of one stream"),
        (ITEMS | {"time_of": "first"}, ("time_of",), "needs an `interval`"),
        ({"type": "str", "variants": {}}, ("variants",), "are empty"),
        ({"type": "str", "variants": {"a": "Othr"}}, ("variants", "a"), "unknown type 'Othr'; did you mean 'Other'?"),
        ({"type": "int", "variants": {"a": "Other"}}, ("variants",), "of an int are chosen by integers"),
        ({"type": "bool", "variants": {"a": "Other"}}, ("variants",), "does not apply to type bool (only to int and"),
        ({"type": "str", "variants": {"a": "Other"}, "choices": ["a"]}, ("choices",), "are the keys of `variants`"),
        (
            {"type": "str", "variants": {"a": "Twin"}},
            ("variants", "a"),
            "the field 'f' stands in 'Twin' and beside 'f'",
        ),
        ({"type": "str", "variants": {"a": "Other"}, "path": "x[*]"}, ("variants",), "need one value to choose by"),
        (
            {"type": "object", "fields": {"a": {"type": "int", "pattern": "x"}, "b": {"type": "Othr"}}},
            ("fields", "a", "pattern"),
            "does not apply to type int",
        ),
    ],
)
def test_what_is_wrong_with_a_field_is_told_with_its_place(field, where, what):
    found, words = problems(M={"f": field}, Other={"o": VALUE}, Twin={"f": VALUE})[0]

    assert found == ("f", *where)
    assert what in words


def test_models_within_themselves_are_refused_where_each_of_them_stands():
    config = {
        "models": {
            "A": {"b": {"type": "B"}},
            "B": {"c": {"type": "object", "fields": {"a": {"type": "A", "path": "as[*]"}}}},
            "C": {"kind": {"type": "str", "variants": {"c": "C"}}},
            "D": {"a": {"type": "A"}},
        }
    }
    with pytest.raises(InvalidRules) as caught:
        Rulebook(Config.model_validate(config))

    assert [loc for loc, _ in caught.value.problems] == [
        ("models", "A", "b", "type"),
        ("models", "B", "c", "fields", "a", "type"),
        ("models", "C", "kind", "variants", "c"),
    ]


def test_what_is_wrong_with_a_model_within_is_told_once_and_where_it_stands():
    config = {"models": {"Inner": {"x": {"type": "int", "ge": 5, "le": 4}}, "Outer": {"i": {"type": "Inner"}}}}
    with pytest.raises(InvalidRules) as caught:
        Rulebook(Config.model_validate(config))

    assert [loc for loc, _ in caught.value.problems] == [("models", "Inner", "x", "ge")]


def test_a_models_name_is_not_that_of_a_type():
    with pytest.raises(InvalidRules, match="is the name of a type already"):
        Rulebook(Config.model_validate({"models": {"float": {"x": VALUE}}}))


def test_extra_is_for_a_model_of_the_configuration():
    with pytest.raises(InvalidRules, match="is for a model of `models`"):
        Rulebook(Config.model_validate({"rules": [{"topic": "a", "bucket": "b", "stream": "s", "extra": "reject"}]}))


def test_the_same_model_may_stand_in_many_places():
    wide = {f"m{n}": {f"{side}": {"type": f"m{n + 1}"} for side in ("left", "right")} for n in range(12)}
    model = built("m0", **wide, m12={"x": VALUE})

    assert isinstance(model, StructuredModel)


def test_models_within_models_have_an_end():
    deep = {f"m{n}": {"inner": {"type": f"m{n + 1}"}} for n in range(20)}

    with pytest.raises(InvalidModel):
        built("m0", **deep, m20={"x": VALUE})


@pytest.mark.parametrize(
    ("model", "sole"),
    [
        ({"a": ITEMS | {"interval": "1s"}}, "a"),
        ({"a": ITEMS}, None),
        ({"a": {"type": "object", "fields": {"b": VALUE}}}, None),
        ({"a": VALUE, "b": {"type": "int", "store": False}}, "a"),
        ({"a": {"type": "str", "path": "property.x"}}, "a"),
        ({"a": {"type": "str", "variants": {"o": "Other"}}}, None),
        ({"a": VALUE, "b": VALUE}, None),
    ],
)
def test_a_stream_needs_no_field_where_only_one_makes_events(model, sole):
    assert built(M=model, Other={"o": VALUE}).sole_field == sole


@pytest.mark.parametrize("interval", [None, "1ms"])
def test_items_are_bounded(interval):
    field = ITEMS if interval is None else ITEMS | {"interval": interval}
    document = {"items": [1] * (MAX_FIELDS + 1)}

    assert rejection(built(M={"a": field}), document)[0] is Reason.TOO_MANY_FIELDS
    assert rejection(built(M={"a": field}), {"items": {str(n): 1 for n in range(5_000)}})[0] is Reason.TOO_MANY_FIELDS


def test_points_of_many_lists_are_bounded_together():
    model = built(M={"row": {"type": "Row", "path": "rows[*]"}}, Row={"v": ITEMS | {"interval": "1s"}})
    document = {"rows": [{"items": [1] * 100}] * 11}

    assert rejection(model, document) == (Reason.TOO_MANY_FIELDS, "more than 1000 points")


@pytest.mark.parametrize(
    "document",
    [{"rows": [{"items": []}] * 10_001}, {"rows": [{"items": [None] * 101}] * 100}, {"rows": [None] * 20_000}],
)
def test_items_of_which_nothing_comes_are_bounded_as_well(document):
    model = built(M={"v": VALUE | {"path": "rows[*].items[*]", "optional": True}})

    assert rejection(model, document) == (Reason.TOO_MANY_FIELDS, "more than 10000 items of lists")


def test_a_long_name_of_an_item_is_refused_at_once():
    model = built(M={"a": ITEMS | {"path": "items[*].v", "as": "{items[*].name}"}})

    reason, detail = rejection(model, {"items": [{"name": "x" * 300, "v": 1}]})
    assert reason is Reason.BAD_NAME
    assert "more than 250 characters" in detail


RULE = {"topic": "a", "bucket": "b", "stream": "{field}", "model": "M"}
EVERYTHING = {
    "Inner": {"x": {"type": "float", "lenient": True}, "when": {"type": "datetime", "optional": True}},
    "Door": {"open": {"type": "bool", "lenient": True}},
    "M": {
        "kind": {"type": "str", "variants": {"inner": "Inner", "door": "Door"}, "optional": True},
        "inner": {"type": "Inner", "optional": True},
        "each": {"type": "Inner", "path": "list[*]", "as": "{list[*].name|slug}", "optional": True},
        "every": {"type": "enum", "choices": [1, "a"], "path": "deep[*].list[*]", "optional": True},
        "points": {"type": "float", "path": "samples[*]", "interval": "100ms", "optional": True, "default": 0},
        "site": {"type": "str", "path": "property.site", "optional": True},
    },
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(["", "1", "inner", "door", "on", "2025-10-09", "a", "x" * 300, "\u0000"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "inner", "list", "deep", "samples", "x", "when", "open", "name", "", "a.b"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("extra", ["ignore", "reject", "streams"])
@given(document=DOCUMENTS)
def test_whatever_comes_makes_events_in_the_order_of_time_or_is_rejected(extra, document):
    book = Rulebook(Config.model_validate({"models": EVERYTHING, "rules": [RULE | {"extra": extra}]}))
    (compiled,) = book.rules
    try:
        points = compiled.model.points(document, b"", 1e9, compiled.extras)
    except Unusable:
        return

    times = [time for _, time in points]
    assert times == sorted(set(times))
    for fields, _ in points:
        for value in fields.values():
            assert isinstance(value, bool | int | float | str)
            assert not isinstance(value, float) or math.isfinite(value)


@given(document=st.dictionaries(st.sampled_from(["a", "b", "c", "a.b"]), DOCUMENTS, max_size=4))
def test_what_a_model_names_and_what_it_does_not_are_together_all_there_is(document):
    field = {"type": "enum", "choices": [1, "a"], "optional": True}
    models = {"M": {"a": field, "z": field | {"path": "b.inner"}}}
    both = Rulebook(Config.model_validate({"models": models, "rules": [RULE | {"extra": "streams"}]}))
    (modelled,) = both.rules
    try:
        fields = modelled.extras.added(modelled.model.fields(document, b""), document)
    except Unusable:
        return

    named = {"z": "b.inner"}
    assert {named.get(name, name): value for name, value in fields.items()} == flatten(document)


def test_an_unstored_field_is_checked_all_the_same():
    book = Rulebook(
        Config.model_validate({"models": {"M": {"v": VALUE, "id": {"type": "int", "store": False}}}, "rules": [RULE]})
    )
    (route,) = book.routes(b"a")

    assert route.apply(b'{"v": 1, "id": 7}', 1.0) == [("b", "v", 1.0, 1.0)]
    assert isinstance(route.apply(b'{"v": 1, "id": "x"}', 1.0), Rejected)
