"""What is deleted for its age goes by a time that one wrong clock does not move."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mqttbridge.ageclock import AgeClock

DAY = 86_400.0
NOW = 1_800_000_000.0
IN_2038 = 2_147_000_000.0


class Machine:
    """Two clocks: one that may be set, and one that counts from the machine's start."""

    def __init__(self, path: Path) -> None:
        self.path, self.wall, self.up = path / "clock.json", NOW, 50.0
        self.age = self.start()

    def start(self) -> AgeClock:
        self.age = AgeClock(self.path, lambda: self.wall, lambda: self.up)
        return self.age

    def pass_(self, seconds: float, step: float = 3600.0) -> float:
        """Time passes while the bridge looks at the clock now and then."""
        while seconds > 0:
            self.wall, self.up = self.wall + min(step, seconds), self.up + min(step, seconds)
            seconds -= step
            self.age()
        return self.age()

    def restart(self, off: float = 0.0) -> float:
        """The bridge ends in order, the machine is off for a while and begins to count anew."""
        self.age.save()
        self.wall, self.up = self.wall + off, 20.0
        return self.start()()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_is_the_clocks_time_whatever_small_steps_that_takes(machine):
    assert machine.age() == NOW
    assert machine.pass_(3 * DAY) == machine.wall
    machine.wall += 0.9 * DAY
    assert machine.age() == machine.wall
    machine.wall -= 0.5 * DAY
    assert machine.age() == machine.wall
    assert machine.restart(off=0.8 * DAY) == machine.wall


def test_a_clock_that_is_far_ahead_for_a_while_makes_nothing_old(machine, caplog):
    machine.wall = IN_2038
    assert machine.age() == NOW
    assert machine.pass_(600.0, 60.0) == NOW + 600
    machine.wall = NOW + 660
    assert machine.age() == NOW + 660
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1


def test_a_clock_that_goes_on_saying_so_for_a_day_is_believed_over_restarts(machine):
    machine.wall = IN_2038
    machine.age()
    assert machine.pass_(0.6 * DAY) == pytest.approx(NOW + 0.6 * DAY)
    assert machine.restart() == pytest.approx(NOW + 0.6 * DAY, abs=1)
    assert machine.pass_(0.6 * DAY) == machine.wall


def test_a_machine_that_was_off_for_months_believes_its_clock_after_a_day(machine):
    assert machine.restart(off=90 * DAY) == pytest.approx(NOW, abs=1)
    assert machine.pass_(1.1 * DAY) == machine.wall


def test_a_board_whose_clock_begins_anew_with_each_start_believes_the_network_at_once(machine):
    machine.pass_(DAY)
    right = machine.wall
    machine.age.save()
    machine.wall, machine.up = 0.0, 5.0
    assert machine.start()() == 0.0  # nothing is older than that
    assert machine.pass_(120.0, 60.0) == 120.0
    machine.wall = right + 600
    assert machine.age() == right + 600


def test_a_board_that_runs_a_few_hours_a_day_believes_its_clock_in_the_end(machine):
    machine.restart(off=10 * DAY)
    for _ in range(4):
        machine.pass_(8 * 3600)
        machine.restart(off=16 * 3600)
    assert machine.age() == machine.wall


@pytest.mark.parametrize(
    "kept", ["", "[]", "{}", '{"believed": "x", "doubted": 0}', '{"believed": null, "doubted": 1}']
)
def test_without_what_was_kept_the_clock_is_believed(tmp_path, kept):
    machine = Machine(tmp_path)
    machine.path.write_text(kept)
    assert machine.start()() == NOW


def test_a_clock_that_jumps_again_begins_anew_to_say_so(machine):
    machine.wall = 0.0
    machine.pass_(0.9 * DAY)
    machine.wall = IN_2038
    assert machine.pass_(0.9 * DAY) == pytest.approx(NOW + 1.8 * DAY)
    assert machine.pass_(0.2 * DAY) == machine.wall


def test_a_first_start_that_is_cut_short_leaves_what_was_believed(machine):
    machine.start().save_when_due()  # by a clock that stood while the board was off
    machine.wall, machine.up = NOW + 40 * DAY, 5.0
    assert machine.start()() == NOW  # what was spooled then is not too old


def test_it_is_saved_at_the_start_and_once_an_hour_and_a_disk_that_takes_nothing_is_no_fault(machine):
    for pause, is_saved in [(0.0, True), (3500.0, False), (101.0, True)]:
        machine.path.unlink(missing_ok=True)
        machine.pass_(pause)
        machine.age.save_when_due()
        assert machine.path.exists() is is_saved
    machine.age = AgeClock(machine.path / "no" / "such" / "place", lambda: NOW, lambda: 1.0)
    machine.age.save()
