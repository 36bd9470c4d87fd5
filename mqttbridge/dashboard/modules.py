"""What the server does to the page's modules, since there is no build step.

They are sent without their comments, a quarter of them, and a view's page names all the modules it is made of: the
browser asks for them at once, not one import after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from posixpath import dirname, join, normpath
from typing import Final

# Comments that have their lines to themselves. They are found by line, so that no text with slashes in it is one.
_COMMENT: Final = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)
_IMPORT: Final = re.compile(rb'^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"', re.MULTILINE)


def without_comments(source: bytes) -> bytes:
    """A script or style sheet as it is sent. Every line keeps its number."""
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), source)


def imported(roots: Iterable[str], sources: Mapping[str, bytes]) -> list[str]:
    """The modules that these import, and they themselves, by their names in `sources`; the nearest first."""
    found = list(roots)
    for name in found:
        for path in _IMPORT.findall(sources[name]):
            module = normpath(join(dirname(name), path.decode()))
            if module not in found:
                found.append(module)
    return found


def preloading(page: bytes, modules: Iterable[str]) -> bytes:
    """The page, asking for these modules while it is read."""
    links = "".join(f'  <link rel="modulepreload" href="/static/{name}">\n' for name in modules)
    return page.replace(b"</head>", links.encode() + b"</head>")
