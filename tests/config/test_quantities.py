from __future__ import annotations

from math import inf, nan

import pytest
from pydantic import TypeAdapter, ValidationError

from mqttbridge.config.quantities import Duration, Size, parse_duration, parse_size

DURATION, SIZE = TypeAdapter(Duration), TypeAdapter(Size)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), ("1.5h", 5400), ("5 m", 300), ("7d", 604_800), ("1w", 604_800), ("0s", 0)],
)
def test_a_duration_is_a_number_with_its_unit(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("512B", 512), ("64KiB", 65_536), ("10MB", 10_000_000), ("1.5GiB", 3 * 2**29), ("1TiB", 2**40)]
)
def test_a_size_is_a_number_with_its_unit(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "value", ["30", "-5s", "5 fortnights", "s", "", "1e3s", "9" * 400 + "d", "٣s", 30, -1.0, inf, nan]
)
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(ValidationError):
        DURATION.validate_python(value)


@pytest.mark.parametrize("value", ["30", "-5B", "5kb", "", "9" * 400 + "GiB", -1, True, 1.5])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(ValidationError):
        SIZE.validate_python(value)


def test_zero_needs_no_unit_and_a_bare_number_of_bytes_is_one():
    assert DURATION.validate_python(0) == 0
    assert SIZE.validate_python(900_000) == 900_000
