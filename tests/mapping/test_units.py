import math

import pytest
from hypothesis import given, settings, strategies as st

from mqttbridge.mapping.units import _ALIASES, _TABLE, _UNITS, InvalidUnit, conversion

PAIRS = [(one, other) for units in _TABLE.values() for one in units for other in units]


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (212, "°F", "°C", 100),
        (-40, "°C", "°F", -40),
        (0, "K", "°C", -273.15),
        (21.5, "degC", "fahrenheit", 70.7),
        (1013.25, "hPa", "atm", 1),
        (36, "km/h", "m/s", 10),
        (1, "kn", "km/h", 1.852),
        (1, "kWh", "MJ", 3.6),
        (1500, "W", "kW", 1.5),
        (1, "m³", "l", 1000),
        (180, "°", "rad", math.pi),
        (1, "mi", "km", 1.609344),
        (1, "lb", "kg", 0.45359237),
        (1, "ft³", "L", 28.316846592),
        (1, "KiB", "B", 1024),
        (3, "\u03bcs", "ns", 3000),
        (50, "percent", "1", 0.5),
    ],
)
def test_a_number_of_one_unit_is_so_much_of_another(value, source, target, expected):
    assert conversion(source, target)(value) == pytest.approx(expected, rel=1e-15)


def test_what_people_know_by_heart_comes_out_exact():
    assert [conversion("°F", "°C")(f) for f in (32, 212, -40, 98.6)] == [0, 100, -40, 37]


def test_a_difference_has_no_offset():
    assert conversion("°F", "°C", difference=True)(9) == 5


@settings(max_examples=1000)
@given(pair=st.sampled_from(PAIRS), value=st.floats(-1e6, 1e6))
def test_there_and_back_is_where_it_began(pair, value):
    one, other = pair
    there = conversion(one, other)(value)

    # A shift by an offset costs digits of small values: what is left of them is in the size of the offset.
    assert conversion(other, one)(there) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_every_alias_leads_to_a_unit_and_none_hides_one():
    assert set(_ALIASES.values()) <= set(_UNITS)
    assert not set(_ALIASES) & set(_UNITS)
    assert sum(map(len, _TABLE.values())) == len(_UNITS)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("celsuis", "°F", "unknown unit 'celsuis'; did you mean 'celsius'?"),
        ("°C", "hpa", "unknown unit 'hpa'; did you mean 'hPa'?"),
        ("widgets per fortnight", "h", "unknown unit 'widgets per fortnight'"),
        ("°C", "hPa", "'°C' (temperature) cannot become 'hPa' (pressure); it can become: K, °C, °F, °R"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(source, target, words):
    with pytest.raises(InvalidUnit) as caught:
        conversion(source, target)

    assert str(caught.value) == words
