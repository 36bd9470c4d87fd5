"""The configuration while it is put together: values laid over one another, each knowing where it stands.

Layers go file, environment, command line; a later one wins. Mappings are merged key by key, lists and values
are replaced. All that is checked here is whether a value can be read; what it must be is the models' to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mqttbridge.config import schema
from mqttbridge.config.scalars import ScalarError, read_scalar
from mqttbridge.config.schema import Loc
from mqttbridge.config.yaml_tree import Items, Node, Scalar, Table
from mqttbridge.errors import Problem

MAX_SHOWN_CHARS: Final = 60  # of a value in a message: enough to recognise it
MASK: Final = "'**********'"  # as pydantic masks a secret

_PLAIN_KEY: Final = re.compile(r"[\w-]+")


class Blank:
    """What stands where there is no value. Not an enum: pydantic would take the text of one for the value."""


ABSENT: Final = Blank()  # a key with nothing after it
UNREADABLE: Final = Blank()  # a value whose reading failed; the problem is noted


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the sources: the file, a variable, the command line.

    Attributes:
        name: as shown in problems.
        environ: what `${NAME}` reads.
        folder: what `!file` is relative to.
    """

    name: str
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path()


@dataclass(slots=True)
class Cell:
    """A place in the configuration.

    Attributes:
        value: cells by key, cells in a row, a value or a blank.
        layer: name of the layer that put it there.
        line: the line of its key, or 0 where there are no lines.
        text: a number, true or false as it was written.
        hidden: whether no message may show it.
    """

    value: Any
    layer: str
    line: int
    text: str | None = None
    hidden: bool = False

    def put(self, value: Any, layer: Layer, line: int, text: str | None = None, *, hidden: bool = False) -> None:
        """Replaces all that stands here."""
        self.value, self.layer, self.line, self.text, self.hidden = value, layer.name, line, text, hidden

    def __repr__(self) -> str:
        return f"<Cell at {self.layer}:{self.line}>"  # the value may be a secret


class Draft:
    """Data for the models, and where each part of it stands."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._layers: dict[str, Layer] = {}
        self._root = Cell({}, "configuration", 0)  # named after the file, once there is one

    # -- building

    def lay(self, layer: Layer, node: Node, at: Loc = ()) -> None:
        """Lays a tree over what is there already, at a place whose parents are opened where needed."""
        self._layers[layer.name] = layer
        cell = self._root
        if not at:
            cell.layer = layer.name
        for part in at:
            if not isinstance(cell.value, dict | list):
                cell.put({}, layer, node.line)
            if isinstance(cell.value, dict):
                cell = cell.value.setdefault(part, Cell(ABSENT, layer.name, node.line))
            else:
                cell = cell.value[int(part)]
        self._fill(cell, node, node.line, at, layer)

    def lay_values(self, layer: Layer, values: Mapping[str, Any]) -> None:
        """Lays values over what is there that need no reading; nested mappings are merged as well."""
        self._layers[layer.name] = layer
        self._fill_values(self._root, values, layer)

    def note(self, layer: Layer, line: int, loc: Loc, what: str) -> None:
        """Notes a problem that a layer has by itself."""
        self._layers[layer.name] = layer
        self.problems.append(Problem(layer.name, line, path_text(loc), what))

    def _fill(self, cell: Cell, node: Node, line: int, loc: Loc, layer: Layer) -> None:
        match node:
            case Table():
                if not isinstance(cell.value, dict):
                    cell.put({}, layer, line)
                for repeated_line, key in node.repeated:
                    self.note(layer, repeated_line, (*loc, key), "this key stands in its section twice")
                for key, (key_line, value) in node.entries.items():
                    inner = cell.value.setdefault(key, Cell(ABSENT, layer.name, key_line))
                    self._fill(inner, value, key_line, (*loc, key), layer)
            case Items():
                cell.put([], layer, line)
                for index, item in enumerate(node.nodes):
                    cell.value.append(inner := Cell(ABSENT, layer.name, item.line))
                    self._fill(inner, item, item.line, (*loc, index), layer)
            case Scalar():
                self._fill_scalar(cell, node, line, loc, layer)

    def _fill_scalar(self, cell: Cell, scalar: Scalar, line: int, loc: Loc, layer: Layer) -> None:
        try:
            reading = read_scalar(scalar, layer.environ, layer.folder)
        except ScalarError as error:
            self.note(layer, line, loc, str(error))
            cell.put(UNREADABLE, layer, line)
            return
        if scalar.plain and not reading.text and schema.is_key(loc):
            return  # nothing after the key: as if it were not there, so all below it may be commented out
        value = reading.value
        if reading.hidden and schema.is_secret(loc):
            value = reading.text  # a password such as `null` or `1e3` is one all the same
        text = None if isinstance(value, str) else reading.text
        cell.put(value, layer, line, text, hidden=reading.hidden)

    def _fill_values(self, cell: Cell, value: Any, layer: Layer) -> None:
        if isinstance(value, Mapping):
            if not isinstance(cell.value, dict):
                cell.put({}, layer, 0)
            for key, inner in value.items():
                self._fill_values(cell.value.setdefault(key, Cell(ABSENT, layer.name, 0)), inner, layer)
        elif isinstance(value, list | tuple):
            cell.put([], layer, 0)
            for inner in value:
                cell.value.append(item := Cell(ABSENT, layer.name, 0))
                self._fill_values(item, inner, layer)
        else:
            cell.put(value, layer, 0)

    # -- reading

    def data(self) -> dict[str, Any]:
        """What the models validate."""
        data = _plain(self._root)
        assert isinstance(data, dict)  # noqa: S101  # the root starts as one, and layers merge into it
        return data

    def keys_at(self, loc: Loc) -> list[str]:
        """The keys of the mapping that stands at `loc`; none where there is none."""
        cell, _, rest = self._find(loc)
        return list(cell.value) if not rest and isinstance(cell.value, dict) else []

    def length_at(self, loc: Loc) -> int:
        """The length of the list that stands at `loc`; 0 where there is none."""
        cell, _, rest = self._find(loc)
        return len(cell.value) if not rest and isinstance(cell.value, list) else 0

    def place(self, loc: Loc) -> Loc:
        """Where pydantic's `loc` is in the file."""
        _, found, rest = self._find(loc)
        return (*found, *rest)

    def is_unreadable(self, loc: Loc) -> bool:
        """Whether the value at `loc` could not be read, so that its problem is noted already."""
        return self._find(loc)[0].value is UNREADABLE

    def take_as_text(self, loc: Loc) -> bool:
        """Makes a typed plain value the text as it was written; False if it is none."""
        cell, _, rest = self._find(loc)
        if rest or cell.text is None or not isinstance(cell.value, int | float):
            return False
        cell.value = cell.text
        return True

    def problem(self, loc: Loc, what: str, *, show: bool = True) -> Problem:
        """A problem at `loc`, with the line of it or of the nearest thing around it, and the value found there."""
        cell, found, rest = self._find(loc)
        if show and not rest and "(got " not in what and not isinstance(cell.value, Blank):
            what = f"{what} (got {_shown(cell, found)})"
        return Problem(cell.layer, cell.line, path_text((*found, *rest)), what)

    def in_order(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems as one reads the sources: layer by layer, from top to bottom, none twice."""
        ranks = {name: rank for rank, name in enumerate(self._layers)}
        return sorted(dict.fromkeys(problems), key=lambda problem: (ranks.get(problem.file, -1), problem.line))

    def _find(self, loc: Loc) -> tuple[Cell, Loc, Loc]:
        """The cell at `loc` or the nearest around it, the path to it, and the part of `loc` beyond it.

        pydantic names the chosen variant in its paths, as in ("destinations", "cloud", "initialstate", "url")
        or ("choices", 0, "str"). Nothing of the kind stands in the file, so it is left out.
        """
        cell = self._root
        found: list[str | int] = []
        for index, part in enumerate(loc):
            if isinstance(cell.value, dict):
                if part not in cell.value:
                    if not schema.is_known((*found, part)):
                        continue
                    return cell, tuple(found), loc[index:]
                inner = cell.value[part]
            elif isinstance(cell.value, list):
                if not isinstance(part, int):
                    continue
                if part >= len(cell.value):
                    return cell, tuple(found), loc[index:]
                inner = cell.value[part]
            else:
                break
            cell = inner
            found.append(part)
        return cell, tuple(found), ()


def path_text(loc: Loc) -> str:
    """A place as people write it: `rules[2].topic`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{_cut(part)}]"
    return text


def _plain(cell: Cell) -> Any:
    if isinstance(cell.value, dict):
        return {key: _plain(inner) for key, inner in cell.value.items() if inner.value is not ABSENT}
    if isinstance(cell.value, list):
        return [_plain(inner) for inner in cell.value]
    return cell.value


def _shown(cell: Cell, loc: Loc) -> str:
    """The value in a message: never a secret, never long, never more than a line."""
    if isinstance(cell.value, dict):
        return "a mapping"
    if isinstance(cell.value, list | tuple):
        return "a list"
    if cell.value is None:
        return "nothing"
    if cell.hidden or schema.is_secret(loc):
        return MASK
    if cell.text is not None:
        return cell.text if len(cell.text) <= MAX_SHOWN_CHARS else _cut(cell.text)
    return _cut(_without_credentials(cell.value)) if isinstance(cell.value, str) else str(cell.value)


def _without_credentials(text: str) -> str:
    """The text without what stands before an `@` and could be a user name and a password, as in a URL."""
    head, at, tail = text.rpartition("@")
    if not at or ":" not in head:
        return text
    scheme, slashes, _ = head.partition("://")
    return f"{scheme}{slashes}***@{tail}" if slashes else f"***@{tail}"


def _cut(text: str) -> str:
    """A text of the user in quotes, on one line, cut to a length that one can take in."""
    return repr(text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…")
