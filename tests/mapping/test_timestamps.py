from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from mqttbridge.events import Reason
from mqttbridge.mapping.paths import find, parse_path
from mqttbridge.mapping.timestamps import Timestamp, parse_timestamp
from mqttbridge.mapping.unusable import Unusable

ARRIVAL = 1_760_000_000.0
# Every unit covers these years.
EPOCHS = st.floats(min_value=1e8, max_value=9e10, allow_nan=False)


@pytest.mark.parametrize("value", [1760000000, 1760000000000, 1760000000000000, 1760000000000000000, 1.76e9, 1.76e12])
def test_the_unit_of_a_number_is_told_by_its_magnitude(value):
    assert parse_timestamp(value) == ARRIVAL
    assert parse_timestamp(f" {value:.0f} ") == ARRIVAL


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
@given(epoch=EPOCHS)
def test_a_number_in_any_unit_comes_back_as_the_seconds_it_was_made_of(scale, epoch):
    assert parse_timestamp(int(epoch * scale)) == pytest.approx(epoch, abs=max(1 / scale, 1e-4))
    assert parse_timestamp(str(int(epoch * scale))) == parse_timestamp(int(epoch * scale))


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(5000, 1, 1)),  # noqa: DTZ001  # zones are below
    st.integers(-14 * 60, 14 * 60),
)
def test_an_iso_time_comes_back_as_the_moment_it_was_made_of(moment, offset):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))

    assert parse_timestamp(aware.isoformat()) == aware.timestamp()
    assert parse_timestamp(moment.isoformat()) == moment.replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("2025-10-09T08:53:20Z", ARRIVAL),
        ("2025-10-09T08:53:20", ARRIVAL),
        ("2025-10-09 08:53:20", ARRIVAL),
        ("2025-10-09T10:53:20+02:00", ARRIVAL),
        ("2025-10-09T10:53+0200", ARRIVAL - 20),
        ("2025-10-09t08:53:20z", ARRIVAL),
        ("20251009T085320Z", ARRIVAL),
        ("2025-10-09T08:53:20.5Z", ARRIVAL + 0.5),
        ("2025-10-09T08:53:20,250Z", ARRIVAL + 0.25),
        ("2025-10-09T08:53:20.1234567Z", ARRIVAL + 0.123456),
        ("2025-10-09T08:53:20.123456789+00:00", ARRIVAL + 0.123456),
        ("1760000000.25", ARRIVAL + 0.25),
    ],
)
def test_iso_8601_is_read_as_devices_write_it(text, epoch):
    assert parse_timestamp(text) == pytest.approx(epoch, abs=1e-6)


@pytest.mark.parametrize(
    "value",
    [True, None, [], {}, "", "yesterday", "2025-13-01T00:00:00Z", "1e9", "nan", "9" * 400, "2025-" + "0" * 99, 10**400],
)
def test_what_is_not_a_time_is_none(value):
    assert parse_timestamp(value) is None


@given(st.text(max_size=30) | st.floats() | st.integers() | st.text(alphabet="0123456789-:TZ.+W, ", max_size=30))
def test_whatever_comes_is_a_time_or_none(value):
    assert isinstance(parse_timestamp(value), float | None)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": [10, {"c": 20}], "0": 30}),
        ("a.b.0", 10),
        ("a.b.1.c", 20),
        ("a.0", 30),
        ("a.b.2", None),
        ("a.b.-1", None),
        ("a.b.x", None),
        ("a.b.0.x", None),
        ("dotted.key", 40),
        ("x", None),
        ("a.b.²", None),
        ("a.b.99999999999999999999", None),
    ],
)
def test_a_path_leads_through_keys_and_indexes(path, found):
    assert find({"a": {"b": [10, {"c": 20}], "0": 30}, "dotted.key": 40}, parse_path(path)) == found


@pytest.mark.parametrize("path", ["", ".", "a..b", "a."])
def test_a_path_has_no_empty_parts(path):
    with pytest.raises(ValueError, match="keys and list indexes"):
        parse_path(path)


def timestamp(*, reject=True):
    return Timestamp("t.at", ("t", "at"), max_past=3600.0, max_future=60.0, reject=reject)


@pytest.mark.parametrize("epoch", [ARRIVAL - 3600, ARRIVAL, ARRIVAL + 60])
def test_a_time_within_the_window_is_taken(epoch):
    assert timestamp().read({"t": {"at": epoch}}, ARRIVAL) == epoch


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"t": {}}, "t.at: is missing"),
        (5, "t.at: is missing"),
        ({"t": {"at": None}}, "t.at: is missing"),
        ({"t": {"at": "soon"}}, 't.at: expected epoch s, ms, us or ns, or ISO 8601 (got "soon")'),
        ({"t": {"at": True}}, "t.at: expected epoch s, ms, us or ns, or ISO 8601 (got true)"),
        ({"t": {"at": ARRIVAL - 3601}}, "t.at: lies more than 3600 s before the arrival (got 1759996399.0)"),
        ({"t": {"at": 0}}, "t.at: lies more than 3600 s before the arrival (got 0)"),
        ({"t": {"at": float("nan")}}, "t.at: lies more than 3600 s before the arrival (got NaN)"),
        ({"t": {"at": float("inf")}}, "t.at: lies more than 60 s after the arrival (got Infinity)"),
        ({"t": {"at": ARRIVAL + 61}}, "t.at: lies more than 60 s after the arrival"),
    ],
)
def test_an_unusable_time_rejects_the_message_or_gives_way_to_its_arrival(document, detail):
    with pytest.raises(Unusable) as caught:
        timestamp().read(document, ARRIVAL)

    assert caught.value.reason is Reason.BAD_TIMESTAMP
    assert detail in caught.value.detail
    assert timestamp(reject=False).read(document, ARRIVAL) == ARRIVAL
