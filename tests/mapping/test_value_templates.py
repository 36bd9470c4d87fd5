"""Value templates: what discovery payloads use is there, and nothing takes long or grows large."""

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from mqttbridge.mapping.families.value_templates import InvalidTemplate, Templates
from mqttbridge.mapping.unusable import Unusable

TEMPLATES = Templates()
DOCUMENT = {"a": 1.5, "b": {"c": [1, 2]}, "on": "ON", "update": {"state": "idle"}, "none": None, "items": 3}
LARGE = {"value": "x" * 60_000, "value_json": {"l": list(range(9_000)), "s": "a" * 60_000}}


def rendered(text, value="21.5", document=DOCUMENT):
    return TEMPLATES.compile(text)({"value": value, "value_json": document})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ value_json.a }}", 1.5),
        ("{{value_json['b']['c'][1]}}", 2),
        ('{{ value_json["update"].state }}', "idle"),
        ("{{ value_json.items }}", 3),
        ("{{ value_json.none }}", None),
        ("{{ value_json.x.y }}", None),
        ("{{ value_json.update.state | upper }}", "IDLE"),
        ("{{ value | float * 2 }}", "43.0"),
        ("{{ value | int }}", "21"),
        ("{{ 'x' | float(0) }}", "0"),
        ("{{ value_json.a | multiply(3) | round }}", "4"),
        ("{{ (value | float / 3) | round(2) }}", "7.17"),
        ("{{ 2.25 | round(1, 'floor') }}", "2.2"),
        ("{{ value_json.x | default(3) }}", "3"),
        ("{{ value_json.x | float }}", None),
        ("{{ value_json.x | is_defined }}", None),
        ("{{ value_json.x + 1 }}", None),
        ("{{ iif(value_json.on == 'ON', 'a', 'b') }}", "a"),
        ("{{ 'ON' if value_json.a > 1 else 'OFF' }}", "ON"),
        ("{% if value_json.none is none %}N{% endif %}", "N"),
        ("{{ '2025-10-09T08:53:20+00:00' | as_timestamp }}", "1760000000.0"),
        ("{{ (value_json.at | default(1760000000)) | as_datetime }}", "2025-10-09 08:53:20+00:00"),
        ("{{ 1760000000 | timestamp_utc }}", "2025-10-09T08:53:20+00:00"),
        ("{{ '%.2f' | format(value_json.a) }}", "1.50"),
        ("{{ value.split('.')[0] }}", "21"),
        ("{{ value.replace('.', ',') }}", "21,5"),
        ("{{ 'a' ~ value_json.a ~ 'b' }}", "a1.5b"),
        ("{{ value_json.b.c | map('float') | sum }}", "3.0"),
        ("{{ value_json.b | to_json }}", '{"c":[1,2]}'),
        (
            "{% set ns = namespace(x=0) %}{% for i in value_json.b.c %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
            "3",
        ),
        ("{{ value_json.b.get('c')[0] }}", "1"),
        ("{{ 2 ** 3 }}", "8.0"),
    ],
)
def test_it_makes(text, expected):
    result = rendered(text)
    assert (type(result), result) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ now() }}", "unknown function 'now'"),
        ("{{ value | regex_replace('a', 'b') }}", "unknown filter 'regex_replace'"),
        ("{{ value | _turns }}", "unknown filter '_turns'"),
        ("{{ value is sameish }}", "broken|unknown test"),
        ("{% macro a() %}{% endmacro %}", "not offered: macro"),
        ("{% include 'x' %}", "not offered: include"),
        ("{% for a in value %}{% for b in value %}{% endfor %}{% endfor %}", "loop within a loop"),
        ("{{ value", "broken"),
        ("{{ " + "(" * 1000 + "1" + ")" * 1000 + " }}", "broken"),
        ("{{ " + " + ".join(["1"] * 400) + " }}", "more than 300 parts"),
        ("x" * 5000, "4000"),
    ],
)
def test_it_does_not_offer(text, why):
    with pytest.raises(InvalidTemplate, match=why):
        TEMPLATES.compile(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'q' * 1000000000 }}",
        "{{ 10 ** 400 }}",
        "{% set x = 2 %}" + "{% set x = x * x %}" * 30 + "{{ x }}",
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 30 + "{{ x }}",
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x + x %}" * 30 + "{{ x }}",
        "{% set x = [1, 2, 3] %}" + "{% set x = x + x %}" * 30 + "{{ x | length }}",
        "{{ value_json.s | replace('a', 'aaaa') }}",
        "{{ value.replace('x', 'aaaa') }}",
        "{{ value_json.l | join('-----------------------------') }}",
        "{{ '%99999999d' | format(1) }}",
        "{% for i in value_json.l %}{{ i }}{% endfor %}",
        "{% for i in value_json.l %}{% if i in value_json.l %}{% endif %}{% endfor %}",
        "{% for i in range(400) %}{{ value_json.l | sort | first }}{% endfor %}",
        "{% for i in range(100000000) %}{% endfor %}",
        "{{ value_json.s ~ value_json.s }}",
        "{% set x = 'a' %}" + "{% set x = [x, x] %}" * 40 + "{{ x }}",
        "{% set x = 'a' %}" + "{% set x = {1: x, 2: x} %}" * 30 + "{{ x }}",
        "{% set x = 'a' %}" + "{% set x = (x, x) %}" * 40 + "{{ x | string | length }}",
        "{% for i in range(490) %}{% set x = value_json | to_json %}{% endfor %}",
        "{% for i in range(490) %}{% set x = {'a': value_json} | string %}{% endfor %}",
        "{% for i in range(490) %}{% set x = '%s' | format(value_json) %}{% endfor %}",
        "{{ value }}",
        "{{ 1 / 0 }}",
        "{{ value + 1 }}",
    ],
)
def test_what_takes_long_or_grows_large_ends_soon_and_rejects_the_message(text):
    template = TEMPLATES.compile(text)
    with pytest.raises(Unusable):
        template(LARGE)


@pytest.mark.parametrize(
    "text",
    [
        "{{ value.__class__ }}",
        "{{ ().__class__.__mro__ }}",
        "{{ value_json.get.__globals__ }}",
        "{{ namespace.__init__ }}",
        "{{ self }}",
        "{{ value_json['__class__'] | default('') }}",
        "{{ value | attr('__class__') }}",
        "{{ value_json.b.c.append(3) }}",
        "{{ value.format(1) }}",
    ],
)
def test_nothing_of_python_can_be_reached(text):
    try:
        result = rendered(text)
    except (InvalidTemplate, Unusable):
        return
    assert not result or "class" not in str(result)


@given(st.text(alphabet="{}%|~.()[]'\" abfilor_value_json123+*/-", max_size=60))
def test_no_text_makes_it_fail_otherwise(text):
    with suppress(InvalidTemplate, Unusable):
        rendered("{{ " + text + " }}")
