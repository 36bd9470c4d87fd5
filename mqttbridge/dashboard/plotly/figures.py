"""The figures: their traces, their layout, and what each viewer of one has yet to be told.

Everything here runs on the HTTP thread's loop, so a viewer's snapshot and the changes after it need no lock to
fit together: a viewer that joins gets the whole kept window, and from then on what changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from mqttbridge.dashboard.plotly.tokens import Token
from mqttbridge.dashboard.plotly.trace import Change, Trace
from mqttbridge.dashboard.plotly.update import Update, merged, read_update
from mqttbridge.dashboard.plotly.windows import Kept, Name


@dataclass(slots=True)
class Figure:
    """One figure.

    Attributes:
        traces: by label, in the order of their tokens.
        last: epoch seconds of the newest write; None before the first.
    """

    name: str
    traces: dict[str, Trace] = field(default_factory=dict)
    layout: dict[str, Any] = field(default_factory=dict)
    last: float | None = None

    def shown(self) -> dict[str, Any]:
        """The whole figure as a viewer gets it."""
        return {
            "figure": self.name,
            "layout": self.layout,
            "traces": {label: trace.shown() for label, trace in self.traces.items()},
        }


@dataclass(slots=True)
class Pending:
    """What changed in a figure since its viewers were told last."""

    changes: dict[str, Change] = field(default_factory=dict)
    layout: bool = False

    def frame(self, figure: Figure) -> dict[str, Any]:
        """The changes as a viewer gets them."""
        traces = {label: figure.traces[label].frame(change) for label, change in self.changes.items()}
        return {"traces": traces} | ({"layout": figure.layout} if self.layout else {})


class Figures:
    """Every figure that has a token.

    Args:
        changed: told the name of a figure that has something new for its viewers; a second argument says
            whether they need it whole, as when traces came or went.
    """

    def __init__(self, changed: Callable[[str, bool], None]) -> None:
        self._changed = changed
        self._figures: dict[str, Figure] = {}
        self._watched: dict[str, Pending] = {}
        self.changed: dict[Name, None] = {}
        """Traces that are not what is kept of them, that which waits longest first."""

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._figures.values())

    def get(self, name: str) -> Figure | None:
        """The figure of this name."""
        return self._figures.get(name)

    def sync(self, tokens: Iterable[Token]) -> None:
        """Have exactly the traces that have tokens; those that stay keep their points."""
        wanted: dict[str, dict[str, Token]] = {}
        for token in tokens:
            wanted.setdefault(token.figure, {})[token.trace] = token
        for name in [*self._figures]:
            if name not in wanted:
                del self._figures[name]
                self._changed(name, True)
        for name, traces in wanted.items():
            self._sync_figure(self._figures.setdefault(name, Figure(name)), traces)

    def _sync_figure(self, figure: Figure, tokens: Mapping[str, Token]) -> None:
        before = {label: trace.maxpoints for label, trace in figure.traces.items()}
        for label, token in tokens.items():
            if label in figure.traces:
                figure.traces[label].configure(token.maxpoints)
        figure.traces = {
            label: figure.traces.get(label) or Trace(label, token.maxpoints, token.mode)
            for label, token in tokens.items()
        }
        if {label: trace.maxpoints for label, trace in figure.traces.items()} != before:
            self._changed(figure.name, True)

    # --- over a restart -------------------------------------------------------------------------------------

    def names(self) -> set[Name]:
        """Every trace there is."""
        return {(figure.name, label) for figure in self for label in figure.traces}

    def take_changed(self) -> Kept | None:
        """The next trace that is to be kept, as it is now; None when there is none."""
        while self.changed:
            name = next(iter(self.changed))
            del self.changed[name]
            figure = self._figures.get(name[0])
            trace = figure.traces.get(name[1]) if figure is not None else None
            if figure is not None and trace is not None:
                return Kept(
                    *name,
                    trace.configured,
                    trace.maxpoints,
                    trace.kind,
                    trace.count,
                    list(trace.points),
                    {**trace.style, "layout": figure.layout},
                    figure.last,
                )
        return None

    def restore(self, windows: Iterable[Kept]) -> None:
        """Have the traces be as they were. Of a figure's layouts the newest counts."""
        for kept in sorted(windows, key=lambda one: one.last or 0.0):
            figure = self._figures.get(kept.figure)
            trace = figure.traces.get(kept.trace) if figure is not None else None
            looks = read_update(to_json(kept.looks))  # what a line may say, and no more
            if figure is None or trace is None or not isinstance(looks, Update):
                continue
            # A token that was given another `maxpoints` meanwhile has the say.
            maxpoints = kept.maxpoints if kept.configured == trace.configured else trace.maxpoints
            trace.restore(maxpoints, kept.kind, kept.count, kept.points)
            trace.style = merged(trace.style, looks.style)
            figure.layout, figure.last = dict(looks.layout), kept.last

    # --- what streams and viewers do ------------------------------------------------------------------------

    def resize(self, token: Token, maxpoints: int) -> None:
        """Keep so many points of a trace, as its stream wishes."""
        figure = self._figures.get(token.figure)
        if figure is not None and token.trace in figure.traces and figure.traces[token.trace].resize(maxpoints):
            self.changed[token.figure, token.trace] = None
            self._changed(figure.name, True)

    def write(self, token: Token, update: Update, now: float) -> None:
        """Do what a line says, and show it."""
        figure = self._figures.get(token.figure)
        trace = figure.traces.get(token.trace) if figure is not None else None
        if figure is None or trace is None:
            return  # its token was removed this very moment
        figure.last = now
        self.changed[token.figure, token.trace] = None
        change = trace.write(update)
        layout = merged(figure.layout, update.layout)
        pending = self._watched.get(figure.name)
        if pending is not None:
            if change.replaced or change.points or change.looks:
                pending.changes.setdefault(trace.label, Change()).join(change, trace.maxpoints)
            pending.layout |= layout != figure.layout
        figure.layout = layout
        if pending is not None and (pending.changes or pending.layout):
            self._changed(figure.name, False)

    def watch(self, name: str) -> None:
        """Somebody looks at this figure: gather what changes from now on."""
        self._watched.setdefault(name, Pending())

    def unwatch(self, name: str) -> None:
        """Nobody does any more."""
        self._watched.pop(name, None)

    def take(self, name: str) -> dict[str, Any] | None:
        """What changed since the last call, as a frame; None when nothing did."""
        figure, pending = self._figures.get(name), self._watched.get(name)
        if figure is None or pending is None or not (pending.changes or pending.layout):
            return None
        self._watched[name] = Pending()
        return pending.frame(figure)

    def forget_pending(self, name: str) -> None:
        """What is pending is in the whole figure that every viewer gets now."""
        if name in self._watched:
            self._watched[name] = Pending()
