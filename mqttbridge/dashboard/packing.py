"""The page's modules as a browser gets them soonest: those of a view in one file, since there is no build step.

A view's *pack* holds the modules that it begins with, each as a function that imports and exports by hand;
`static/js/loader.js` runs it when it is needed. What is loaded later comes as the module it is, and finds those of the
pack by the same loader, so that there is one of each. Only the forms of import and export that the page uses are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from posixpath import dirname, join, normpath
from typing import Final

LOADER: Final = "js/loader.js"

# Comments that have their lines to themselves. They are found by line, so that no text with slashes in it is one.
_COMMENT: Final = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)
_IMPORT: Final = re.compile(rb'^import (?:(\w+)|\{([^}]*)\}) from "(\.[^"]+)";$', re.MULTILINE)
_LATER: Final = re.compile(rb'\bimport\("(\.[^"]+)"\)')
_EXPORT: Final = re.compile(rb"^export (?=(?:async )?(?:const|function|class) (\w+))", re.MULTILINE)
_EXPORTS: Final = re.compile(rb"(?:^|(?<=;))export ?(?:default (\w+)|\{([^}]*)\});?$", re.MULTILINE)
_UNKNOWN: Final = re.compile(rb"^(?:import|export)\b[^\n]*", re.MULTILINE)


def without_comments(source: bytes) -> bytes:
    """A script or style sheet as it is sent. Every line keeps its number."""
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), source)


def imported(roots: Iterable[str], sources: Mapping[str, bytes]) -> list[str]:
    """The modules that these import, and they themselves, by their names in `sources`; the nearest first."""
    found = list(roots)
    for name in found:
        found += [path for path in dict.fromkeys(_imports(name, sources[name])) if path not in found]
    return found


def pack(first: str, modules: Iterable[str], sources: Mapping[str, bytes]) -> bytes:
    """One script of all these modules, which begins with `first`."""
    parts = [
        sources[LOADER],
        *(_packed(name, sources[name]) for name in modules),
        b'await need("%b");\n' % first.encode(),
    ]
    return b"".join(parts)


def linked(name: str, source: bytes) -> bytes:
    """A module beside a pack: it finds what it imports by the loader."""
    return _with_imports(name, source)


def _imports(name: str, source: bytes) -> list[str]:
    return [_beside(name, match[3]).decode() for match in _IMPORT.finditer(source)]


def _packed(name: str, source: bytes) -> bytes:
    exported: list[bytes] = []
    body = _EXPORT.sub(_noting(exported, lambda match: match[1]), _with_imports(name, source))
    body = _EXPORTS.sub(
        _noting(exported, lambda match: b"default: " + match[1] if match[1] else _turned(match[2])), body
    )
    if unknown := _UNKNOWN.search(body):
        raise ValueError(f"{name}: {unknown[0].decode()!r} is not a form of import or export that packs know")
    return b'packed.set("%b", async () => {\n%breturn { %b };\n});\n' % (name.encode(), body, b", ".join(exported))


def _with_imports(name: str, source: bytes) -> bytes:
    """The module with its imports, and those it does later, by the loader."""
    names: list[bytes] = []
    paths: list[bytes] = []

    def take(match: re.Match[bytes]) -> bytes:
        names.append(
            b"{ default: %b }" % match[1] if match[1] else b"{ %b }" % match[2].replace(b" as ", b": ").strip()
        )
        paths.append(b'need("%b")' % _beside(name, match[3]))
        return b"\n" * match[0].count(b"\n")

    body = _LATER.sub(lambda match: b'need("%b")' % _beside(name, match[1]), _IMPORT.sub(take, source))
    if not paths:
        return body
    return b"const [%b] = await Promise.all([%b]);%b" % (b", ".join(names), b", ".join(paths), body)


def _noting(into: list[bytes], what: Callable[[re.Match[bytes]], bytes]) -> Callable[[re.Match[bytes]], bytes]:
    """For `re.sub`: takes what matches away, and notes something of it."""

    def note(match: re.Match[bytes]) -> bytes:
        into.append(what(match))
        return b""

    return note


def _turned(names: bytes) -> bytes:
    """`a as b, c` as an object's `b: a, c`."""
    pairs = (name.strip().partition(b" as ") for name in names.split(b",") if name.strip())
    return b", ".join(b"%b: %b" % (outside, inside) if outside else inside for inside, _, outside in pairs)


def _beside(name: str, path: bytes) -> bytes:
    return normpath(join(dirname(name), path.decode())).encode()
