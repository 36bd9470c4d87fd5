"""`mqttbridge version`: what to put into a bug report."""

from __future__ import annotations

import json
import platform
import sqlite3
from importlib import metadata
from typing import Final

import click

from mqttbridge import __version__

_LIBRARIES: Final = (
    "paho-mqtt",
    "requests",
    "pydantic",
    "PyYAML",
    "starlette",
    "uvicorn",
    "click",
    "amqtt",
    "cbor2",
    "msgpack",
    "protobuf",
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def version(*, as_json: bool) -> None:
    """Say which versions of what are at work here, for a bug report."""
    versions = {
        "mqttbridge": __version__,
        "Python": platform.python_version(),
        "platform": platform.platform(),
        "SQLite": sqlite3.sqlite_version,
        **{library: _installed(library) for library in _LIBRARIES},
    }
    if as_json:
        click.echo(json.dumps(versions))
        return
    for name, found in versions.items():
        click.echo(f"{name:<11} {found or 'not installed'}")


def _installed(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
