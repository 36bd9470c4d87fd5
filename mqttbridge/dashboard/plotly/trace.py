"""One trace: the points that are on screen, and how a stream's writes change them.

A scalar appends a point, a list overwrites its array, and the newest `maxpoints` are kept. The original leaves
open what becomes of a write that mixes both, or gives one of x and y alone; here the two arrays are paired from
their newest ends, a y without an x gets the next whole number, and an x without a y is a gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mqttbridge.dashboard.plotly.update import DEFAULT_POINTS, Update, X, XKind, Y, merged, read_x, read_y

Point = tuple[X, Y]


@dataclass(slots=True)
class Change:
    """What is new in a trace since a viewer was told last.

    Attributes:
        replaced: the points are all there are; else they come after those that the viewer has.
        looks: something beside the points changed.
    """

    replaced: bool = False
    points: list[Point] = field(default_factory=list)
    looks: bool = False

    def join(self, later: Change, most: int) -> None:
        """Take a later change in; of the points, `most` are enough for any viewer."""
        if later.replaced:
            self.replaced, self.points = True, list(later.points)
        else:
            self.points += later.points
        if len(self.points) > 2 * most:
            del self.points[: -most or None]
        self.looks |= later.looks


class Trace:
    """The window of one trace.

    Args:
        label: its name in the figure, and the stream's name in the store.
        maxpoints: how many points are kept on screen, 0 to 10,000.
        mode: `lines`, `markers` or `lines+markers`, until the stream says otherwise.
    """

    def __init__(self, label: str, maxpoints: int = DEFAULT_POINTS, mode: str = "lines") -> None:
        self.label = label
        self.kind = XKind.NUMBER
        self.style: dict[str, Any] = {"mode": mode}
        self._points: deque[Point] = deque(maxlen=maxpoints)
        self._configured = maxpoints
        self._count = 0

    @property
    def maxpoints(self) -> int:
        """How many points are kept."""
        return self._points.maxlen or 0

    @property
    def points(self) -> Sequence[Point]:
        """The points on screen, oldest first."""
        return self._points

    def resize(self, maxpoints: int) -> bool:
        """Keep so many points from now on; whether that is something new."""
        if maxpoints == self.maxpoints:
            return False
        self._points = deque(self._points, maxlen=maxpoints)
        return True

    def configure(self, maxpoints: int) -> None:
        """The token's own `maxpoints`; as long as it stays the same, a stream's wish holds."""
        if maxpoints != self._configured:
            self._configured = maxpoints
            self.resize(maxpoints)

    @property
    def configured(self) -> int:
        """The token's own `maxpoints`."""
        return self._configured

    @property
    def count(self) -> int:
        """What x a y gets that comes without one."""
        return self._count

    def restore(self, maxpoints: int, kind: XKind, count: int, points: Iterable[Point]) -> None:
        """Be as before a restart."""
        self.kind, self._count = kind, count
        self._points = deque(points, maxlen=maxpoints)

    def write(self, update: Update) -> Change:
        """Do what a line says, and say what changed."""
        if isinstance(update.x, list) or isinstance(update.y, list):
            change = self._overwrite(update.x, update.y)
        elif update.x is not None or update.y is not None:
            change = self._append(update.x, update.y)
        else:
            change = Change()
        style = merged(self.style, update.style)
        change.looks |= style != self.style
        self.style = style
        return change

    def shown(self) -> dict[str, Any]:
        """The whole trace as a viewer gets it."""
        return self.frame(Change(replaced=True, points=list(self._points), looks=True))

    def frame(self, change: Change) -> dict[str, Any]:
        """A change as a viewer gets it."""
        points = change.points[-self.maxpoints :] if self.maxpoints else []
        frame: dict[str, Any] = {
            "replace": change.replaced,
            "x": [x for x, _ in points],
            "y": [y for _, y in points],
        }
        if change.looks or change.replaced:
            frame |= {"kind": self.kind, "maxpoints": self.maxpoints, "style": self.style}
        return frame

    def _append(self, x: Any, y: Any) -> Change:
        place: tuple[XKind, X] | None = (XKind.NUMBER, float(self._count)) if x is None else read_x(x)
        if place is None:
            return Change()
        kind, at = place
        point = (at, read_y(y))
        self._count += 1
        if kind is not self.kind:
            # Points of two kinds have no common axis: the trace begins anew.
            return self._replace(kind, [point])
        self._points.append(point)
        return Change(points=[point])

    def _overwrite(self, x: Any, y: Any) -> Change:
        ys: list[Any] = y if isinstance(y, list) else [point[1] for point in self._points]
        if y is not None and not isinstance(y, list):
            ys.append(y)
        if isinstance(x, list):
            xs = list(self._places(x))
        else:
            xs = [(self.kind, point[0]) for point in self._points]
            if x is not None:
                xs += self._places([x])
            elif len(xs) != len(ys):
                xs = [(XKind.NUMBER, float(index)) for index in range(len(ys))]
        length = min(len(xs), len(ys), self.maxpoints)
        newest = list(zip(xs[len(xs) - length :], ys[len(ys) - length :], strict=True))
        kind = next((place[0] for place, _ in reversed(newest) if place is not None), self.kind)
        self._count = len(ys)
        return self._replace(
            kind, [(place[1], read_y(value)) for place, value in newest if place is not None and place[0] is kind]
        )

    @staticmethod
    def _places(raw: Iterable[Any]) -> Iterable[tuple[XKind, X] | None]:
        return (read_x(one) for one in raw)

    def _replace(self, kind: XKind, points: list[Point]) -> Change:
        looks = kind is not self.kind
        self.kind = kind
        self._points = deque(points, maxlen=self.maxpoints)
        return Change(replaced=True, points=points, looks=looks)
