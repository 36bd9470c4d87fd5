"""`mqttbridge demo`: see it live in one command."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import click

from mqttbridge.cli.run import stop_on_signals
from mqttbridge.demo.fleet import MAXIMUM_DEVICES, MINIMUM_DEVICES


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Port of the dashboard on 127.0.0.1; the next free one if it is in use.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything here; default: a temporary directory, removed at the end.",
)
@click.option(
    "--devices",
    type=click.IntRange(MINIMUM_DEVICES, MAXIMUM_DEVICES),
    default=25,
    show_default=True,
    help="How many devices to simulate.",
)
@click.option(
    "--weather", is_flag=True, help="Poll the weather of seven cities, too, from a stand-in for OpenWeather's API."
)
def demo(port: int, data_dir: Path | None, devices: int, *, weather: bool) -> None:
    """Broker, simulated fleet, bridge and dashboard: nothing else needed.

    Everything listens on this machine alone. Ctrl-C stops it and leaves nothing behind.
    """
    # Imported here: the whole bridge comes with it, and `--help` has no use for that.
    from mqttbridge.demo.demo import Options, run  # noqa: PLC0415

    stop = threading.Event()
    stop_on_signals(stop)
    sys.exit(run(Options(port, data_dir, devices, weather=weather), stop, click.echo))
