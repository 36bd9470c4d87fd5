"""The figures' windows in files, so that a late viewer gets them after a restart, too: a small file a trace.

They are pictures: what is history went through the spool long before. So files are written now and then and at the
end, without a sync, and one that a crash has spoilt is a window that begins empty.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError
from pydantic_core import to_json

from mqttbridge.dashboard.plotly.update import MAX_CATEGORY_CHARS, MAX_POINTS, XKind

log = logging.getLogger(__name__)

DIRECTORY: Final = "plotly-windows"
# Ten thousand points whose x are the longest categories, as JSON writes them.
MAX_FILE_BYTES: Final = 16 * 2**20

Name: TypeAlias = tuple[str, str]
_X: TypeAlias = FiniteFloat | Annotated[str, Field(max_length=MAX_CATEGORY_CHARS)]


@dataclass(frozen=True, slots=True)
class Kept:
    """One trace as it was.

    Attributes:
        figure, trace: whose window it is.
        configured: `maxpoints` of its token.
        maxpoints: how many points are kept, which may be its stream's wish.
        kind, count, points: see `Trace`.
        looks: its style, and its figure's layout, in the words of a stream's line.
        last: epoch seconds of the figure's newest write.
    """

    figure: str
    trace: str
    configured: int
    maxpoints: Annotated[int, Field(ge=0, le=MAX_POINTS)]
    kind: XKind
    count: Annotated[int, Field(ge=0)]
    points: Annotated[list[tuple[_X, FiniteFloat | None]], Field(max_length=MAX_POINTS)]
    looks: dict[str, Any]
    last: FiniteFloat | None

    @property
    def name(self) -> Name:
        """Figure and trace."""
        return self.figure, self.trace


_KEPT: Final = TypeAdapter(Kept)


class WindowFiles:
    """The files of one data directory. Used by one thread at a time; nothing here raises for what a disk does.

    Args:
        data_dir: where they are.
    """

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / DIRECTORY
        self._failing = False

    def load(self, names: Iterable[Name]) -> list[Kept]:
        """The windows of these traces, as far as they were kept; files of others are removed."""
        wanted = {self._path(name): name for name in names}
        found = []
        for path in self._files():
            kept = _read(path) if path in wanted else None
            if kept is not None and kept.name == wanted[path]:
                found.append(kept)
            else:
                with suppress(OSError):  # it does no harm there
                    path.unlink()
        return found

    def save(self, windows: Iterable[Kept], gone: Iterable[Name] = ()) -> None:
        """Write these windows, and remove those of the traces that are gone."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for kept in windows:
                path = self._path(kept.name)
                beside = path.with_suffix(".new")
                with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(to_json(kept))
                beside.replace(path)
            for name in gone:
                self._path(name).unlink(missing_ok=True)
        except OSError as error:
            if not self._failing:
                log.warning("figures' windows are not kept: cannot write %s: %s", self._directory, error.strerror)
            self._failing = True
        else:
            self._failing = False

    def _path(self, name: Name) -> Path:
        # By a digest, since a name may be longer than a file's, or hold what no path may.
        return self._directory / f"{hashlib.sha256(to_json(name)).hexdigest()[:32]}.json"

    def _files(self) -> list[Path]:
        try:
            return [path for path in self._directory.iterdir() if path.suffix in (".json", ".new")]
        except OSError:
            return []


def _read(path: Path) -> Kept | None:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        kept = _KEPT.validate_json(path.read_bytes())
        categories = kept.kind is XKind.CATEGORY
        return kept if all(isinstance(x, str) is categories for x, _ in kept.points) else None
    except (OSError, ValidationError):
        return None
