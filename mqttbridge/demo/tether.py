"""Runs a command that must not outlive the process that started it.

    python tether.py COMMAND [ARGUMENT...]        with a pipe as standard input

The starter holds the pipe's other end and never writes to it. When the starter ends, however it ends, `kill -9`
included, the kernel closes that end, the read here returns, and the command is stopped. The command's exit code
is ours. Standard library alone and started by path, so that it costs as little as can be.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

# A broker without persistence has nothing to save: what is not gone by then hangs.
GRACE_SECONDS = 2.0


def main(command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # the starter's own words

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        child.terminate()

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # sys.stdin's own lock would be held while the interpreter ends
        child.terminate()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
