"""`from ISStreamer.Streamer import Streamer` gives ours, once this was imported.

A script that cannot be edited is run through it, with its own arguments behind:

    python -m mqttbridge.compat.isstreamer script.py ...
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

from mqttbridge.client.streamer import Streamer

_USAGE: Final = "usage: python -m mqttbridge.compat.isstreamer script.py [argument ...]"


def install() -> None:
    """Make the original's import path resolve to `mqttbridge.Streamer`, whether the original is installed or not."""
    package, module = ModuleType("ISStreamer"), ModuleType("ISStreamer.Streamer")
    package.__path__ = []  # what makes a module a package
    package.__doc__ = module.__doc__ = "mqttbridge's Streamer, in the place of Initial State's."
    module.Streamer = Streamer  # type: ignore[attr-defined]
    package.Streamer = module  # type: ignore[attr-defined]
    sys.modules["ISStreamer"], sys.modules["ISStreamer.Streamer"] = package, module


def main() -> None:
    """Run a script as `python script.py ...` would."""
    if len(sys.argv) < 2:
        sys.exit(_USAGE)
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


install()

if __name__ == "__main__":
    main()
