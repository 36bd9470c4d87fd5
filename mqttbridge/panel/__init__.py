"""Live streams of a dashboard in programs made with Panel, HoloViews, hvPlot or streamz; needs the extra `panel`.

from mqttbridge.panel import live_source

source = live_source("kitchen", ["temperature", "humidity"])
source.data.hvplot.line(y="temperature", stream=source.buffer)
"""

from __future__ import annotations

from importlib.util import find_spec

for _name in ("holoviews", "pandas", "panel"):
    if find_spec(_name) is None:
        raise ModuleNotFoundError(f"mqttbridge.panel needs {_name}: pip install 'mqttbridge[panel]'", name=_name)

from mqttbridge.panel.latest import latest  # noqa: E402  # what is missing is said first
from mqttbridge.panel.source import LiveSource, live_source  # noqa: E402

__all__ = ["LiveSource", "latest", "live_source"]
