"""What hangs on the tether ends with the process that holds it, however that one ends."""

import subprocess
import sys

import psutil
import pytest

from mqttbridge.demo import tether

SLEEPER = "print('up', flush=True); import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


def start(code):
    return subprocess.Popen(
        [sys.executable, tether.__file__, sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize("code", [SLEEPER, STUBBORN])
def test_the_command_is_stopped_when_the_pipe_closes(code):
    with start(code) as process:
        assert process.stdout.readline() == b"up\n"
        (child,) = psutil.Process(process.pid).children()

        process.stdin.close()

        process.wait(10)
        assert not child.is_running()


def test_the_command_is_stopped_when_the_tether_is_terminated():
    with start(SLEEPER) as process:
        assert process.stdout.readline() == b"up\n"
        (child,) = psutil.Process(process.pid).children()

        process.terminate()

        process.wait(10)
        assert not child.is_running()


def test_the_commands_exit_code_is_passed_on():
    with start("raise SystemExit(7)") as process:
        assert process.wait(10) == 7


def test_the_command_is_stopped_when_the_starter_is_killed():
    starter = f"""
import subprocess, sys
p = subprocess.Popen([sys.executable, {tether.__file__!r}, sys.executable, "-c", {SLEEPER!r}], stdin=subprocess.PIPE)
p.wait()
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        descendants = psutil.Process(process.pid).children(recursive=True)
        assert len(descendants) == 2

        process.kill()

        _gone, alive = psutil.wait_procs(descendants, timeout=10)
        assert not alive
