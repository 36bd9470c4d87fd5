import pytest

from mqttbridge.config.model import Config
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.compiling import compile_rules

RULE = {"topic": "fleet/{site}/{device}", "bucket": "{site}", "stream": "{device}.{field}"}


def problems(*rules, **config):
    with pytest.raises(InvalidRules) as caught:
        compile_rules(Config.model_validate({"rules": rules, **config}))
    return caught.value.problems


def test_the_default_configuration_compiles():
    assert [rule.filter.subscription for rule in compile_rules(Config())] == ["/+", "/+/#", "+", "+/#"]
    assert Rulebook(Config()).filters == ("+/#",)


def test_a_rule_without_a_name_is_called_by_its_number():
    rules = compile_rules(Config.model_validate({"rules": [RULE, RULE | {"name": "mine"}]}))

    assert [rule.name for rule in rules] == ["rule 1", "mine"]


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"topic": "a/#/b"}, ("topic",), "'#' must be the last level (got 'a/#/b')"),
        ({"topic": "{a}/{a}"}, ("topic",), "'{a}' is captured twice"),
        (
            {"bucket": "{sitte}"},
            ("bucket",),
            "unknown name {sitte}; known here: {site}, {device}; did you mean {site}?",
        ),
        ({"bucket": "{field}"}, ("bucket",), "unknown name {field}; known here: {site}, {device}"),
        ({"stream": "{x}"}, ("stream",), "unknown name {x}; known here: {site}, {device}, {field}"),
        ({"stream": ""}, ("stream",), "is empty"),
        ({"model": "Climat"}, ("model",), "unknown model 'Climat'; did you mean 'Climate'?"),
        ({"model": "Zzz"}, ("model",), "unknown model 'Zzz' (known: Climate)"),
        ({"model": "no_such_module:Model"}, ("model",), "cannot import 'no_such_module:Model': ModuleNotFoundError"),
        ({"to": ["dashboard", "cluod"]}, ("to", 1), "unknown destination 'cluod'; did you mean 'cloud'?"),
        ({"to": ["cloud", "cloud"]}, ("to", 1), "'cloud' stands here twice"),
        (
            {"format": "number", "model": "Climate"},
            ("model",),
            "needs a payload with fields, so `format: json` (got number)",
        ),
        (
            {"format": "text", "timestamp": "ts"},
            ("timestamp",),
            "needs a payload with fields, so `format: json` (got text)",
        ),
        ({"timestamp": "a..b"}, ("timestamp",), "a payload path is keys and list indexes joined by '.' (got 'a..b')"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_with_its_place(changes, where, what):
    ((found, words),) = problems(
        RULE,
        RULE | changes,
        models={"Climate": {"temperature": {"type": "float"}}},
        destinations={"dashboard": {"type": "embedded"}, "cloud": {"type": "initialstate", "access_key": "key"}},
    )

    assert found == ("rules", 1, *where)
    assert what in words


def test_two_rules_do_not_share_a_name():
    assert problems(RULE | {"name": "a"}, RULE | {"name": "a"}) == [
        (("rules", 1, "name"), "'a' is the name of rules[0] already")
    ]
    assert problems(RULE | {"name": "rule 2"}, RULE)[0][0] == ("rules", 1, "name")


def test_what_is_wrong_with_a_model_is_told_with_its_place_and_once():
    found = problems(
        RULE | {"model": "Climate"},
        RULE | {"model": "Climate"},
        models={"Climate": {"mode": {"type": "str", "ge": 1}}, "Empty": {}},
    )

    assert found == [
        (("models", "Climate", "mode", "ge"), "does not apply to type str (only to float and int)"),
        (("models", "Empty"), "has no fields"),
    ]


def test_everything_that_is_wrong_is_told_at_once():
    found = problems(
        {"topic": "a/#/b", "bucket": "{x}", "stream": "y", "to": ["nowhere"]},
        {"topic": "a", "bucket": "{x}", "stream": "{y", "model": "Nothing"},
        models={"Climate": {"mode": {"type": "int", "pattern": "x"}}},
    )

    assert [loc for loc, _ in found] == [
        ("models", "Climate", "mode", "pattern"),
        ("rules", 0, "to", 0),
        ("rules", 0, "topic"),
        ("rules", 1, "model"),
        ("rules", 1, "bucket"),
        ("rules", 1, "stream"),
    ]


def test_the_error_lists_every_problem_for_people():
    with pytest.raises(InvalidRules, match=r"rules\.0\.topic: '#' must be the last level"):
        compile_rules(Config.model_validate({"rules": [RULE | {"topic": "#/a"}]}))
