"""Rows as pandas has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from mqttbridge.panel.sheet import Cell, Rows

INDEX: Final = "time"


def table_of(rows: Rows, timezone: str | None, texts: frozenset[str] = frozenset()) -> pd.DataFrame:
    """A frame with the rows.

    Its index, `time`, is of naive times, which plots show as they are.

    Args:
        rows: what it holds.
        timezone: whose clock the times are of; None is UTC.
        texts: columns that hold texts, as objects; the others hold floats, NaN for nothing.
    """
    index = pd.DatetimeIndex(pd.to_datetime(list(rows.times), unit="us", utc=True), name=INDEX)
    if timezone is not None:
        index = index.tz_convert(timezone)
    columns = {name: _series(cells, text=name in texts) for name, cells in rows.columns.items()}
    return pd.DataFrame(columns).set_axis(index.tz_localize(None).as_unit("ns"), axis="index")


def _series(cells: Sequence[Cell], *, text: bool) -> pd.Series:
    if text:
        return pd.Series(list(cells), dtype=object)
    return pd.Series([cell if isinstance(cell, float) else float("nan") for cell in cells], dtype="float64")
