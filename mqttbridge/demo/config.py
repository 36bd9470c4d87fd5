"""The demonstration's configuration file: the packaged one with this run's addresses put in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Literal

TEMPLATE: Final = Path(__file__).with_name("config.yaml")
WEATHER: Final = Path(__file__).with_name("weather.yaml")
# A heading at the edge, and all that is indented below it.
_SECTION: Final = re.compile(r"^(?P<heading>\w+:[^\n]*)\n(?P<body>(?:[ ][^\n]*\n|\n(?=[ ]))+)", re.MULTILINE)


def write_config(
    directory: Path, broker_url: str, protocol: Literal["5", "3.1.1"], port: int, weather_url: str | None = None
) -> Path:
    """Write it into `directory`, for users to read, copy and check; returns its path.

    With the URL of a weather server, it polls that, too.
    """
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
    if weather_url is not None:
        text = _joined(text, WEATHER.read_text(encoding="utf-8").replace("http://127.0.0.1/weather", weather_url))
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _joined(text: str, more: str) -> str:
    """A configuration with another's sections: at the ends of its own of the same names, or after all of them."""
    for section in _SECTION.finditer(more):
        name = section["heading"].partition(":")[0]
        own = next((one for one in _SECTION.finditer(text) if one["heading"].startswith(f"{name}:")), None)
        text = f"{text}\n{section[0]}" if own is None else text[: own.end()] + section["body"] + text[own.end() :]
    return text
