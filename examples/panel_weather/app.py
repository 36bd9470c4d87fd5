"""Weather as a real-time dashboard made with Panel: one tab follows the streams, the other refreshes by a button.

Start something that polls the weather, a stand-in that needs neither key nor network or OpenWeather itself:

    mqttbridge demo --weather
    OPENWEATHER_KEY=... mqttbridge run -c examples/openweather.yaml

and then this:

    pip install 'mqttbridge[panel]'
    panel serve examples/panel_weather/app.py --show

DASHBOARD_URL and DASHBOARD_TOKEN name another dashboard than the one at port 8080. WEATHER_TILES=1 puts the map on
satellite pictures, which the browser then fetches from the internet.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import holoviews as hv
import hvplot.pandas  # noqa: F401  # gives frames their `hvplot`
import pandas as pd
import panel as pn
import param

from mqttbridge.errors import DashboardError
from mqttbridge.panel import latest, live_source

DASHBOARD = {
    "url": os.environ.get("DASHBOARD_URL", "http://127.0.0.1:8080"),
    "token": os.environ.get("DASHBOARD_TOKEN", ""),
}
TILES = os.environ.get("WEATHER_TILES") == "1"
OUTLINE = json.loads(Path(__file__).with_name("california.json").read_text(encoding="utf-8"))

CITY = "San Francisco"
COLUMNS = {"temperature": "Temperature", "humidity": "Humidity", "wind_speed": "Wind Speed"}

pn.extension()


def streaming_tab() -> pn.Column:
    """Three lines that move by themselves."""
    source = live_source(
        "weather",
        {title: f"{CITY}.{field}" for field, title in COLUMNS.items()},
        backlog=1000,
        timezone="America/Los_Angeles",
        **DASHBOARD,
    )
    plots = [
        source.data.hvplot.line(y=title, stream=source.buffer, title=f"{title} in {CITY}", width=700, height=220)
        for title in source.data.columns
    ]
    return pn.Column(*plots, pn.pane.Str(source.param.trouble))


class Refresh(param.Parameterized):
    """What is fetched when a button is pressed, and shown by the column that is selected."""

    refresh = param.Event(label="Refresh")
    column = param.Selector(objects=list(COLUMNS.values()), label="Column")
    cities = param.DataFrame(pd.DataFrame(), precedence=-1)
    fetched = param.String(precedence=-1)
    times = param.Integer(0, precedence=-1)

    @param.depends("refresh", watch=True, on_init=True)
    def fetch(self) -> None:
        """Ask for the latest values, and put them in a table: a row a city, a column a field."""
        try:
            values = latest("weather", **DASHBOARD)
        except DashboardError as error:
            self.fetched = str(error)
            return
        self.times += 1
        self.fetched = f"Fetched {self.times} times, last at {datetime.now(UTC):%H:%M:%S} UTC"
        named = values.assign(city=values.index.str.rsplit(".", n=1).str[0], field=values.index.str.rsplit(".").str[-1])
        cities = named.pivot_table("value", "city", "field", aggfunc="first").rename(columns=COLUMNS)
        self.cities = cities.rename_axis(columns=None).infer_objects()

    @param.depends("cities", "column")
    def map(self) -> hv.Overlay | pn.pane.Str:
        """The cities where they are, in the colour of their value."""
        if not {"lat", "lon", self.column} <= set(self.cities):
            return pn.pane.Str("There is no weather yet.")
        x, y, ground, cities = "lon", "lat", hv.Path([OUTLINE]).opts(color="gray"), self.cities
        if TILES:
            x, y, ground = "x", "y", hv.element.tiles.EsriImagery()
            east, north = hv.util.transform.lon_lat_to_easting_northing(cities["lon"], cities["lat"])
            cities = cities.assign(x=east, y=north)
        points = hv.Points(cities.reset_index(), [x, y], [self.column, "city"])
        points.opts(color=self.column, size=14, cmap="viridis", colorbar=True, tools=["hover"])
        return (ground * points).opts(title=self.column, width=500, height=500, xlabel="longitude", ylabel="latitude")

    @param.depends("cities")
    def table(self) -> pd.DataFrame:
        """The same as numbers."""
        return self.cities[[title for title in COLUMNS.values() if title in self.cities]]


def refresh_tab() -> pn.Column:
    """A button, a choice of what is shown, and both views of it."""
    weather = Refresh()
    controls = pn.Param(weather, parameters=["refresh", "column"], show_name=False)
    return pn.Column(
        controls, pn.pane.Str(weather.param.fetched), pn.Row(weather.map, pn.pane.DataFrame(weather.table))
    )


pn.Tabs(("Streaming", streaming_tab()), ("Refresh", refresh_tab())).servable(title="Weather")
