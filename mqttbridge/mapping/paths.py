"""Where something stands in a payload: `sensors.0.value`, `sensors[0].value`, `sensors[*].value`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Keys and list indexes, and `EACH` for every item."""

EACH: Final = "[*]"

_PART: Final = re.compile(r"([^\[\]]*)((?:\[(?:[0-9]{1,9}|\*)\])*)")
_BRACKET: Final = re.compile(r"\[([0-9]+)\]|(\[\*\])")


def parse_path(text: str, *, each: bool = False) -> Path:
    """Keys and list indexes of a payload path such as `sensors.0.time` or `sensors[0].time`.

    Args:
        text: the path.
        each: whether `[*]`, every item of a list, is possible in it.

    Raises:
        ValueError: a part is empty, or brackets are not around an index.
    """
    path: list[str] = []
    for number, part in enumerate(text.split(".")):
        match = _PART.fullmatch(part)
        if match is None or not (match[1] or (match[2] and number == 0)):
            raise ValueError(f"a payload path is keys and list indexes joined by '.' (got {text!r})")
        if match[1]:
            path.append(match[1])
        path += [index or EACH for index, _ in _BRACKET.findall(match[2])]
    if EACH in path and not each:
        raise ValueError(f"'[*]' leads to many values, and here is place for one only (got {text!r})")
    return tuple(path)


def path_text(path: Iterable[str]) -> str:
    """A path as people write it, which is also the name that flattening gives to what stands there."""
    return ".".join(path).replace(f".{EACH}", EACH)


def find(document: Any, path: Path) -> Any:
    """What stands at the path in a parsed JSON document; None where nothing does.

    A key may hold dots itself: `{"meta.time": 5}` has something at `meta.time` as well.
    """
    found = _follow(document, path)
    if found is None and len(path) > 1 and type(document) is dict:
        return document.get(".".join(path))
    return found


def find_each(document: Any, path: Path, behind: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything that stands at a path with `[*]` in it, with the path to each: indexes, or keys of an object.

    Where there is nothing to go through, what stands there instead comes with the path up to there, which ends
    with `[*]`: an empty list or object, something else, or None when it is missing.
    """
    if EACH not in path:
        yield (*behind, *path), find(document, path)
        return
    place = path.index(EACH)
    before, rest = path[:place], path[place + 1 :]
    container = find(document, before) if before else document
    if not container or type(container) not in (list, dict):
        yield (*behind, *before, EACH), container
    elif type(container) is list:
        for index, item in enumerate(container):
            yield from find_each(item, rest, (*behind, *before, str(index)))
    else:
        for key, item in container.items():
            yield from find_each(item, rest, (*behind, *before, key))


def _follow(document: Any, path: Path) -> Any:
    for part in path:
        if type(document) is dict:
            document = document.get(part)
        elif type(document) is list and part.isdecimal() and part.isascii() and len(part) < 10:
            index = int(part)
            document = document[index] if index < len(document) else None
        else:
            return None
    return document
