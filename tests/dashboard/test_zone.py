"""The machine's time zone has a name, or none."""

import pytest

from mqttbridge.dashboard.zone import find_zone


@pytest.mark.parametrize(
    ("variable", "linked", "written", "zone"),
    [
        ("Europe/Berlin", "Asia/Tokyo", "", "Europe/Berlin"),
        (":Europe/Berlin", None, "", "Europe/Berlin"),
        ("CET-1CEST,M3.5.0", "Asia/Tokyo", "", None),
        (None, "Asia/Tokyo", "Europe/Berlin\n", "Asia/Tokyo"),
        (None, None, "Europe/Berlin\n", "Europe/Berlin"),
        (None, None, "../../etc/passwd", None),
        (None, None, None, None),
    ],
)
def test_the_first_name_that_is_a_zones_counts(tmp_path, variable, linked, written, zone):
    localtime, timezone = tmp_path / "localtime", tmp_path / "timezone"
    if linked:
        localtime.symlink_to(f"/usr/share/zoneinfo/{linked}")
    if written is not None:
        timezone.write_text(written)

    assert find_zone(variable, localtime, timezone) == zone
