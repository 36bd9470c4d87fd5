"""`mqttbridge serve`: the dashboard and its Events API alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from mqttbridge.cli.load import config_option, find_config, load_and_compile
from mqttbridge.cli.run import run_until_stopped


@click.command()
@config_option
@click.option("--data-dir", metavar="DIR", help="Where spool and history live.  [default: ./mqttbridge-data]")
@click.option("--listen", metavar="HOST:PORT", help="Where the dashboard listens.  [default: 127.0.0.1:8080]")
def serve(config: Path | None, data_dir: str | None, listen: str | None) -> None:
    """Run the dashboard and its Events API alone, without a broker.

    Whatever speaks Initial State's Events API can send to /api there, and other bridges can deliver to it.
    """
    overrides: dict[str, Any] = {"mqtt": None}
    if data_dir:
        overrides["data_dir"] = data_dir
    if listen:
        overrides["http"] = {"listen": listen}
    path = find_config(config)
    sys.exit(run_until_stopped(*load_and_compile(path, os.environ, overrides), path))
