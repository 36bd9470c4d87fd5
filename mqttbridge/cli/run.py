"""`mqttbridge run`: the bridge and its dashboard in the foreground."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from mqttbridge.cli.load import config_option, find_config, load_and_compile
from mqttbridge.cli.logging import setup_logging

if TYPE_CHECKING:
    from mqttbridge.config.model import Config
    from mqttbridge.mapping import Rulebook

log = logging.getLogger(__name__)

# So many new lists, tuples and the like make Python look for garbage among the youngest; by itself it is 700.
GARBAGE_THRESHOLD: Final = 10_000


@click.command()
@config_option
@click.option("--broker", metavar="URL", help="The broker, as in mqtt://localhost:1883; wins over the configuration.")
@click.option("--data-dir", metavar="DIR", help="Where spool and history live.  [default: ./mqttbridge-data]")
@click.option("--listen", metavar="HOST:PORT", help="Where the dashboard listens.  [default: 127.0.0.1:8080]")
def run(config: Path | None, broker: str | None, data_dir: str | None, listen: str | None) -> None:
    """Run the bridge and its dashboard in the foreground.

    Without a configuration every topic becomes a stream: the first level names the bucket, the rest the stream,
    and JSON is taken apart. SIGTERM and Ctrl-C deliver what is there, for up to `shutdown_timeout`, and end.
    """
    overrides: dict[str, Any] = {}
    if broker:
        overrides["mqtt"] = {"url": broker}
    if data_dir:
        overrides["data_dir"] = data_dir
    if listen:
        overrides["http"] = {"listen": listen}
    path = find_config(config)
    sys.exit(run_until_stopped(*load_and_compile(path, os.environ, overrides), path))


def run_until_stopped(config: Config, rulebook: Rulebook, path: Path | None) -> int:
    """Run a bridge until a signal or a failure.

    Args:
        config: checked configuration.
        rulebook: its rules, compiled.
        path: the file it was read from, for the log; None where there is none.

    Returns:
        The exit code.
    """
    from mqttbridge.bridge import Bridge  # noqa: PLC0415  # a wrong configuration is said without loading it all

    setup_logging(config.log)
    log.info("configuration: %s", path.resolve() if path else "none, the defaults and the environment alone")
    stop = threading.Event()
    stop_on_signals(stop)
    bridge = Bridge(config, rulebook)
    collect_rarely()
    bridge.start()
    if bridge.http_url:
        log.info("dashboard at %s", bridge.http_url)
    if bridge.first_key_url:
        log.warning(
            "nobody has a key yet, so the dashboard shows nothing: make one at %s (from another machine by this one's "
            "name; good once, for an hour), or set http.write_keys",
            bridge.first_key_url,
        )
    code = bridge.wait(stop)
    bridge.stop()
    log.info("stopped")
    return code


def collect_rarely() -> None:
    """Have Python look for cycles of garbage less often.

    A batch is some ten thousand lists and tuples that live until it is stored, and hardly any are in a cycle: looking
    through them after each 700 new ones is a third of the store's work. What is loaded by now stays for good.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. A second one ends the process at once: the spool is durable."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
