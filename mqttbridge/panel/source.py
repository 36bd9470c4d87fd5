"""A live source: the newest rows of some streams, in the forms in which Panel, HoloViews and streamz take them.

What comes in is gathered by the process's one connection to the bucket (`mqttbridge.client.live`) on its own thread.
Each session drains what came on its document's thread, where alone its plots and parameters may be touched, and
leaves when it ends.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import panel as pn
import param
from panel.io import PeriodicCallback

from mqttbridge.client.live.dashboard import Address
from mqttbridge.client.live.sharing import subscribe
from mqttbridge.client.live.subscription import Subscription, Taken
from mqttbridge.panel.buffer import LiveBuffer
from mqttbridge.panel.sheet import Sheet
from mqttbridge.panel.tables import INDEX, table_of

URL: Final = "http://127.0.0.1:8080"
EVERY: Final = 0.25
# For the first points, so that a page begins with them. A dashboard on this machine takes some hundredths of it, and
# one that is known to be away none.
FIRST_WAIT: Final = 2.0
# A plot of more rows is no picture any more, and each row goes to each browser.
MAX_BACKLOG: Final = 100_000
MAX_STREAMS: Final = 200
MAX_HISTORY: Final = 10 * 365 * 86_400.0
LEAST_EVERY: Final = 0.05


class LiveSource(param.Parameterized):  # type: ignore[misc]  # param is typed in part
    """The newest rows of some streams; see `live_source`. Used on the thread that made it.

    Attributes:
        data: the rows, a `pandas.DataFrame`: a column a stream, times as index. A new one whenever rows came.
        live: whether the connection to the dashboard stands.
        trouble: why not, in words.
    """

    data: pd.DataFrame = param.DataFrame(constant=True, doc="The newest rows.")
    live: bool = param.Boolean(False, constant=True, doc="Whether the connection to the dashboard stands.")
    trouble: str = param.String("", constant=True, doc="Why it does not, in words.")

    def __init__(
        self,
        subscription: Subscription,
        columns: Mapping[str, str],
        *,
        fill: bool,
        timezone: str | None,
    ) -> None:
        self._subscription, self._columns, self._timezone = subscription, dict(columns), timezone
        self._sheet = Sheet(columns, subscription.backlog, fill=fill)
        self._texts: frozenset[str] = frozenset()
        self._draining = threading.Lock()
        self._drains: PeriodicCallback | None = None
        self._buffer: LiveBuffer | None = None
        self._streamz: Any = None
        self._streamed = False
        first = self._begun(subscription.everything())
        super().__init__(data=first, live=subscription.live, trouble=subscription.trouble)
        weakref.finalize(self, subscription.abandon)

    # --- the forms ------------------------------------------------------------------------------------------

    @property
    def buffer(self) -> LiveBuffer:
        """The rows as a HoloViews `Buffer` of `backlog` rows: for `hvplot(stream=...)` and `hv.DynamicMap`."""
        if self._buffer is None:
            self._buffer = LiveBuffer(self.data, length=self._subscription.backlog)
        return self._buffer

    def rx(self) -> Any:
        """The rows as a reactive expression, to build on as on the frame itself: `source.rx().tail(10)`."""
        return self.param.data.rx()

    def streamz(self) -> Any:
        """The rows as a streaming `streamz.dataframe.DataFrame`, beginning with the backlog; the extra `streamz`.

        A row goes through it once. What comes late goes through when it comes, out of order.
        """
        if self._streamz is None:
            from streamz import Stream  # noqa: PLC0415  # an extra
            from streamz.dataframe import DataFrame  # noqa: PLC0415

            self._streamz = DataFrame(example=self.data.iloc[:0], stream=Stream())
        return self._streamz

    # --- its life -------------------------------------------------------------------------------------------

    def drain(self) -> bool:
        """Take in what came, and show it; whether anything came.

        In a session, and wherever a loop runs, this happens by itself. A plain program calls it.
        """
        if not self._draining.acquire(blocking=False):
            return False  # with Panel's thread pool, the last one is still at it
        try:
            live, trouble = self._subscription.live, self._subscription.trouble
            if (live, trouble) != (self.live, self.trouble):
                self._update(live=live, trouble=trouble)
            taken = self._subscription.take()
            if taken is not None:
                self._show(taken)
            self._begin_to_stream()
            return taken is not None
        finally:
            self._draining.release()

    def start(self, every: float = EVERY) -> None:
        """Drain every so many seconds, until `close` or the end of the session that this is called in."""
        session = pn.state.curdoc is not None and pn.state.curdoc.session_context is not None
        if session:
            pn.state.on_session_destroyed(lambda _: self.close())
        if session or _loop_runs():
            # In the background: or the page would show that it is busy, four times a second.
            self._drains = PeriodicCallback(callback=self.drain, period=round(1000 * every), background=True)
            self._drains.start()

    def close(self) -> None:
        """Leave; the last to leave a bucket in this process ends the connection."""
        if self._drains is not None:
            drains, self._drains = self._drains, None
            with suppress(ValueError, RuntimeError):  # the document has removed it, or its loop has ended
                drains.stop()
        self._subscription.close()

    # --- from points to rows --------------------------------------------------------------------------------

    def _show(self, taken: Taken) -> None:
        rows = None if taken.whole or not self._fits(taken) else self._sheet.append(taken.columns)
        if rows is None:  # the one way for what is late, of another kind, or too much: all of it anew
            self._replace(self._begun(taken if taken.whole else self._subscription.everything()))
        elif rows.times:
            self._append(table_of(rows, self._timezone, self._texts))

    def _fits(self, taken: Taken) -> bool:
        """Whether each column stays what it is, of numbers or of texts."""
        return self._texts_of(taken) == {name for name in self._texts if self._columns[name] in taken.columns}

    def _begun(self, everything: Taken) -> pd.DataFrame:
        self._texts = self._texts_of(everything)
        return table_of(self._sheet.begin(everything.columns), self._timezone, self._texts)

    def _texts_of(self, taken: Taken) -> frozenset[str]:
        kinds = {stream: parts[-1].kind for stream, parts in taken.columns.items()}
        return frozenset(name for name, stream in self._columns.items() if kinds.get(stream) == "text")

    # --- showing them ---------------------------------------------------------------------------------------

    def _append(self, fresh: pd.DataFrame) -> None:
        whole = pd.concat([self.data, fresh]) if len(self.data) else fresh
        self._update(data=whole.iloc[-self._subscription.backlog :])
        if self._buffer is not None:
            self._buffer.send(fresh)
        self._stream(fresh)

    def _replace(self, whole: pd.DataFrame) -> None:
        before = self.data
        self._update(data=whole)
        if self._buffer is not None:
            self._buffer.replace(whole)
        if self._streamed:
            known = before.reindex(whole.index)
            same = (whole == known) | (whole.isna() & known.isna())
            self._stream(whole[~same.all(axis="columns")])

    def _stream(self, fresh: pd.DataFrame) -> None:
        if self._streamed and len(fresh):
            self._streamz.emit(fresh)

    def _begin_to_stream(self) -> None:
        if self._streamz is not None and not self._streamed:
            self._streamed = True
            self._stream(self.data)

    def _update(self, **changes: Any) -> None:
        with param.edit_constant(self):
            self.param.update(**changes)


def live_source(
    bucket: str,
    streams: str | Iterable[str] | Mapping[str, str],
    *,
    backlog: int = 1000,
    history: float = 3600.0,
    url: str = URL,
    token: str = "",
    fill: bool = True,
    timezone: str | None = None,
    every: float = EVERY,
) -> LiveSource:
    """The newest rows of some streams of a bucket, and what comes from now on.

    All sources of a process that look at one bucket share one connection. It reconnects by itself and goes on where
    it was; nothing is missed or doubled. Call this in the function or script that Panel runs for each session:
    the source belongs to that session, and ends with it.

    Args:
        bucket: its key.
        streams: their names; or column -> stream, to name the columns otherwise.
        backlog: how many rows are kept.
        history: seconds of the past to begin with. A stream with more than twice `backlog` points in them (or than
            1,200, if that is more) begins thinned to its shape.
        url: the dashboard's.
        token: a view token or write key, where the dashboard asks for one.
        fill: whether a row holds each stream's newest value by its time, or only what has its very time.
        timezone: whose clock the rows' times are of, such as `Europe/Berlin`; default: UTC.
        every: seconds between two looks at what came.

    Raises:
        ValueError: an argument that cannot be right.
    """
    columns = _columns(streams)
    if not bucket:
        raise ValueError("bucket must not be empty")
    if not 1 <= backlog <= MAX_BACKLOG:
        raise ValueError(f"backlog must be from 1 to {MAX_BACKLOG:,} rows (got {backlog})")
    if not 0 < history <= MAX_HISTORY:
        raise ValueError(f"history must be above 0 and at most {MAX_HISTORY:g} seconds (got {history:g})")
    if not LEAST_EVERY <= every < float("inf"):
        raise ValueError(f"every must be at least {LEAST_EVERY:g} s (got {every:g})")
    if timezone is not None:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone is not known here: {timezone!r}") from None
    subscription = subscribe(Address(url, token), bucket, columns.values(), backlog=backlog, history=history)
    subscription.wait(FIRST_WAIT)
    source = LiveSource(subscription, columns, fill=fill, timezone=timezone)
    source.start(every)
    return source


def _columns(streams: str | Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Column -> stream."""
    if isinstance(streams, Mapping):
        columns = dict(streams)
    else:
        columns = {stream: stream for stream in ([streams] if isinstance(streams, str) else streams)}
    if not 0 < len(columns) <= MAX_STREAMS or not all(columns) or not all(columns.values()):
        raise ValueError(f"streams must be 1 to {MAX_STREAMS} names")
    if INDEX in columns:
        raise ValueError(f"{INDEX!r} is the name of the index: give that stream's column another, as column -> stream")
    return columns


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
