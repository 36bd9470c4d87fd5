"""The demonstration's configuration file: the packaged one with this run's addresses put in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

TEMPLATE: Final = Path(__file__).with_name("config.yaml")


def write_config(directory: Path, broker_url: str, protocol: Literal["5", "3.1.1"], port: int) -> Path:
    """Write it into `directory`, for users to read, copy and check; returns its path."""
    # JSON's strings are YAML's; `$${` is how a configuration writes `${`.
    data_dir = json.dumps(str(directory / "data"), ensure_ascii=False).replace("${", "$${")
    text = TEMPLATE.read_text(encoding="utf-8")
    for default, actual in (
        ("mqtt://localhost:1883", broker_url),
        ('"5"', f'"{protocol}"'),
        ("127.0.0.1:8080", f"127.0.0.1:{port}"),
        ("./mqttbridge-demo", data_dir),
    ):
        text = text.replace(default, actual, 1)
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path
