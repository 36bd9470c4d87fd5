"""`scripts/setup` does what it may, and says exactly what to run where it may not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Machine:
    """A checkout in which some commands are replaced; each fake notes how it was called."""

    def __init__(self, directory):
        self.checkout, self.bin, self._calls = directory / "checkout", directory / "bin", directory / "calls"
        (self.checkout / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "scripts/setup", self.checkout / "scripts/setup")
        self.fake("sleep", "")

    def fake(self, name, body):
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._calls}\n{body}\n', encoding="utf-8")
        path.chmod(0o755)

    def be_a_plain_user(self):
        self.fake("id", "echo 1000")
        self.fake("sudo", "exit 1")

    def be_root(self):
        self.fake("id", "echo 0")

    def calls(self, name):
        lines = self._calls.read_text(encoding="utf-8").splitlines() if self._calls.exists() else []
        return [line for line in lines if line.startswith(name + " ")]

    def setup(self, *arguments, **environment):
        return subprocess.run(
            [self.checkout / "scripts/setup", *arguments],
            env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


PYTHONS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14")
NO_CHROMIUM = {"CHROMIUM": "no-such-browser"}


def test_a_python_that_is_too_old_is_said_with_what_to_install(machine):
    for python in PYTHONS:
        machine.fake(python, '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')

    done = machine.setup("demo")

    assert done.returncode == 1
    assert "needs Python 3.11 or later; here is Python 3.9.2" in done.stderr
    assert "sudo apt-get install python3.11 python3.11-venv" in done.stderr


def test_a_python_without_venv_is_said_with_what_to_install(machine):
    machine.fake("python3", 'case "$2" in *ensurepip*) exit 1;; *print*) echo python3.12;; esac')

    done = machine.setup("demo")

    assert done.returncode == 1
    assert "sudo apt-get install python3.12-venv" in done.stderr


def test_a_python_of_ones_own_choice_is_tried_first(machine):
    machine.fake("mine", 'case "$2" in *ensurepip*) exit 1;; *print*) echo python3.12;; esac')

    machine.setup("demo", PYTHON="mine")

    assert machine.calls("mine")


def test_a_plain_user_is_told_the_one_command_that_installs_what_the_tests_need(machine):
    machine.be_a_plain_user()

    done = machine.setup("system", **NO_CHROMIUM)

    assert done.returncode == 1
    assert "The tests need chromium. Please run:" in done.stderr
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends chromium" in done.stderr


def test_root_installs_what_is_missing_without_being_asked_anything(machine):
    machine.be_root()
    machine.fake("apt-get", "")

    done = machine.setup("system", **NO_CHROMIUM)

    assert done.returncode == 0
    update, install = machine.calls("apt-get")
    assert " update" in update
    assert "install --no-install-recommends chromium" in install
    assert " -y " in install


def test_a_failing_mirror_is_tried_three_times_and_then_said(machine):
    machine.be_root()
    machine.fake("apt-get", "exit 100")

    done = machine.setup("system", **NO_CHROMIUM)

    assert done.returncode == 1
    assert len(machine.calls("apt-get")) == 3
    assert "Installing chromium failed" in done.stderr


def test_nothing_is_installed_where_nothing_is_missing(machine):
    machine.be_root()
    machine.fake("apt-get", "")
    machine.fake("mosquitto", "")
    machine.fake("browser", "")

    done = machine.setup("system", CHROMIUM="browser")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not machine.calls("apt-get")


def test_without_a_known_task_the_usage_is_shown(machine):
    done = machine.setup()

    assert done.returncode == 2
    assert "scripts/setup demo" in done.stderr
