"""The latest values of a bucket, for what is refreshed by hand."""

from __future__ import annotations

import pandas as pd

from mqttbridge.client.live.dashboard import Address, Dashboard
from mqttbridge.errors import DashboardError
from mqttbridge.panel.source import URL
from mqttbridge.sources.http_client import NoAnswer


def latest(bucket: str, *, url: str = URL, token: str = "", timeout: float = 10.0) -> pd.DataFrame:
    """Every stream of a bucket with its newest value, asked for now.

    Args:
        bucket: its key.
        url: the dashboard's.
        token: a view token or write key, where the dashboard asks for one.
        timeout: seconds.

    Returns:
        One row a stream, by its name as index `stream`; columns `value` (float, bool or str), `unit` and `time`
        (naive, UTC). Empty when there is no such bucket yet.

    Raises:
        DashboardError: the dashboard does not answer, or refuses to.
        ValueError: url or token cannot be right.
    """
    dashboard = Dashboard(Address(url, token), bucket, timeout)
    try:
        streams = dashboard.latest()
    except NoAnswer as error:
        raise DashboardError(f"the latest values of bucket {bucket!r}: {error}") from error
    finally:
        dashboard.close()
    return pd.DataFrame(
        {
            "value": pd.Series([one.value for one in streams], dtype=object),
            "unit": pd.Series([one.unit for one in streams], dtype=object),
            "time": pd.to_datetime([one.time for one in streams], unit="us"),
        }
    ).set_axis(pd.Index([one.stream for one in streams], name="stream", dtype=object), axis="index")
