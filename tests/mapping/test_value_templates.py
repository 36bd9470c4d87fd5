"""Value templates: what discovery payloads use is there, and nothing takes long or grows large."""

import json
from contextlib import suppress
from datetime import UTC, datetime

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


# As Zigbee2MQTT announces the actions of remotes and dials, for `event` entities.
ZIGBEE2MQTT_ACTIONS = """{% set patterns = [
{"pattern": '^(?P<button>(?:button_)?[a-z0-9]+)_(?P<action>(?:press|hold)(?:_release)?)$', "groups": ["button", "action"]},
{"pattern": '^(?P<action>recall|scene)_(?P<scene>[0-2][0-9]{0,2})$', "groups": ["action", "scene"]},
{"pattern": '^(?P<actionPrefix>region_)(?P<region>[1-9]|10)_(?P<action>enter|leave|occupied|unoccupied)$', "groups": ["actionPrefix", "region", "action"]},
{"pattern": '^(?P<action>dial_rotate)_(?P<direction>left|right)_(?P<speed>step|slow|fast)$', "groups": ["action", "direction", "speed"]},
{"pattern": '^(?P<action>brightness_step)(?:_(?P<direction>up|down))?$', "groups": ["action", "direction"]}
] %}
{% set action_value = value_json.action|default('') %}
{% set ns = namespace(r=[('action', action_value)]) %}
{% for p in patterns %}
  {% set m = action_value|regex_findall(p.pattern) %}
  {% if m[0] is undefined %}{% continue %}{% endif %}
  {% for key, value in zip(p.groups, m[0]) %}
    {% set ns.r = ns.r|rejectattr(0, 'eq', key)|list + [(key, value)] %}
  {% endfor %}
{% endfor %}
{% if (ns.r|selectattr(0, 'eq', 'actionPrefix')|first) is defined %}
  {% set ns.r = ns.r|rejectattr(0, 'eq', 'action')|list + [('action', ns.r|selectattr(0, 'eq', 'actionPrefix')|map(attribute=1)|first + ns.r|selectattr(0, 'eq', 'action')|map(attribute=1)|first)] %}
{% endif %}
{% set ns.r = ns.r + [('event_type', ns.r|selectattr(0, 'eq', 'action')|map(attribute=1)|first)] %}
{{dict.from_keys(ns.r|rejectattr(0, 'in', ('action', 'actionPrefix'))|reject('eq', ('event_type', None))|reject('eq', ('event_type', '')))|to_json}}"""  # noqa: E501


@pytest.mark.parametrize(
    ("action", "event"),
    [
        ("button_1_press_release", {"button": "button_1", "event_type": "press_release"}),
        ("region_3_enter", {"region": "3", "event_type": "region_enter"}),
        ("dial_rotate_left_slow", {"direction": "left", "speed": "slow", "event_type": "dial_rotate"}),
        ("recall_12", {"scene": "12", "event_type": "recall"}),
        ("toggle", {"event_type": "toggle"}),
        ("", {}),
    ],
)
def test_the_actions_of_zigbee2mqtt_become_event_types(action, event):
    assert json.loads(rendered(ZIGBEE2MQTT_ACTIONS, document={"action": action})) == event


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        # OpenMQTTGateway
        ("{{ float(value_json.pa) * 0.01 | is_defined }}", {"pa": 101325}, "1013.25"),
        ("{{ value_json.power | is_defined | float > 0 }}", {"power": 3}, "True"),
        ("{% if value_json.power > 0.02 -%} on {% else %} off {%- endif %}", {"power": 0.01}, "off"),
        (
            "{% if value_json.uuid is not defined and value_json.volt is defined -%} {{value_json.volt}} {%- endif %}",
            {"volt": 12.6},
            "12.6",
        ),
        # Shelly's discovery script, OctoPrint, ESP32 sketches: since when a device runs, until when a print does
        ("{{(as_timestamp(now())-value_json.uptime)|timestamp_local}}", {"uptime": 20}, "2025-10-09T08:53:00+00:00"),
        ("{{ (now() - timedelta(seconds=value_json.s | int(0))).isoformat() }}", {"s": 0}, "2025-10-09T08:53:20+00:00"),
        ("{{now() + timedelta(seconds=value_json.left|int(default=0))}}", {"left": 40}, "2025-10-09 08:54:00+00:00"),
        ("{{ 'online' if as_timestamp(now()) - value_json.ts < 180 else 'offline' }}", {"ts": 1759999000}, "offline"),
        # a flow sensor whose texts have units in them
        ("{{ value | regex_replace('[^0-9.-]', '') }}", "3.5 gal/min", "3.5"),
        ("{{ value | regex_findall_index('-?[0-9]+', 1) }}", "a 1 b -22", "-22"),
        ("{{ 'yes' if value is search('rain|snow') else 'no' }}", "some rain", "yes"),
        ("{{ value | regex_match('OPEN', ignorecase=True) }}", "opened", "True"),
        # what a message does not say is what it was: no event
        ("{{ value_json.t if value_json.t is defined else this.state }}", {}, ""),
        ("{{ value_json.t | default(this.state) }}", {"t": 1}, "1"),
    ],
)
def test_templates_of_the_field_render(text, value, expected):
    variables = {"value": value, "value_json": value, "now": lambda: datetime.fromtimestamp(1_760_000_000, UTC)}

    assert TEMPLATES.compile(text)(variables) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ states('sensor.a') }}", "unknown function 'states'"),
        ("{{ value | _turns }}", "unknown filter '_turns'"),
        ("{{ value is sameish }}", "broken|unknown test"),
        ("{% macro a() %}{% endmacro %}", "not offered: macro"),
        ("{% include 'x' %}", "not offered: include"),
        (
            "{% for a in value %}{% for b in value %}{% for c in value %}{% endfor %}{% endfor %}{% endfor %}",
            "more than 2 loops",
        ),
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
        "{{ value | regex_replace('(x+)+y', '') }}",
        "{{ value | regex_findall('x*x*x*y') }}",
        "{{ value_json.s | regex_replace('a', 'aaaa') }}",
        "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' | regex_match('(a|aa)+$') }}",
        "{% for i in range(90) %}{% for j in range(90) %}{% endfor %}{% endfor %}",
        "{% for i in range(90) %}{{ 'a' | regex_match('a' ~ i) }}{% endfor %}",
        "{{ timedelta(days=1000000000) }}",
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
