"""The page and its files: a fixed table read once, so that no path of a request ever reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mqttbridge.dashboard import packing
from mqttbridge.dashboard.packing import imported, linked, pack, without_comments

FOLDER: Final = Path(__file__).with_name("static")
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_PLAIN: Final = "text/plain; charset=utf-8"
_PACKED: Final = frozenset({".png", ".ico", ".woff2"})
_WORTH_PACKING: Final = 1024
_COMMENTED: Final = frozenset({".css", ".js"})

# What every view begins with.
_MAIN: Final = "js/main.js"
# What a page that was opened before an upgrade gets for a module; its pack it may have, which is whole.
_OUTDATED: Final = "js/outdated.js"

_FRESH: Final = "no-cache"
"""For names that stay when the content changes: browsers ask each time, and mostly hear 304."""
_FOREVER: Final = "max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    gzipped: bytes | None
    type: str
    headers: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if "ETag" in self.headers and self.headers["ETag"] in known:
            return Response(status_code=304, headers=self.headers)
        if self.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.gzipped, 200, {**self.headers, "Content-Encoding": "gzip"}, self.type)
        return Response(self.body, 200, self.headers, self.type)


def _file(body: bytes, name: str, cached: str) -> _File:
    suffix = Path(name).suffix
    worth = len(body) >= _WORTH_PACKING and suffix not in _PACKED
    gzipped = gzip.compress(body, mtime=0) if worth else None
    headers = {"Cache-Control": cached, "Vary": "Accept-Encoding"}
    if cached == _FRESH:
        headers["ETag"] = f'"{_digest(body)}"'
    return _File(body, gzipped, TYPES.get(suffix, _PLAIN), headers)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:20]


def _read(path: Path, name: str) -> bytes:
    body = path.read_bytes()
    ours = path.suffix in _COMMENTED and not name.startswith("vendor/")
    return without_comments(body) if ours else body


class Pages:
    """Handlers of the pages' addresses and of `/static/...`.

    A page names its files under an address of this version of them, `/static/<version>/...`, so that browsers keep
    them: a second visit asks for the page alone.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self._bodies = {name: _read(path, name) for name, path in paths.items() if not name.endswith(".d.ts")}
        everything = (Path(packing.__file__).read_bytes(), *(part for _, part in sorted(self._bodies.items())))
        self._version = f"v-{_digest(b''.join(everything))}"
        self._packs: dict[str, tuple[str, ...]] = {}
        self._plain, self._linked = cache(self._make_plain), cache(self._make_linked)

    def view(self, module: str, *more: str) -> Callable[[Request], Awaitable[Response]]:
        """The handler of a view's address: the one page, with all that these modules import in one script."""
        name = f"js/pack-{module.removeprefix('js/').removesuffix('.js').replace('/', '-')}.js"
        self._packs[name] = (_MAIN, module, *more)
        page_with = self._bodies["index.html"].replace(_MAIN.encode(), name.encode())
        file = _file(self._versioned(page_with), "index.html", _FRESH)

        async def page(request: Request) -> Response:
            return file.answer(request)

        return page

    async def static(self, request: Request) -> Response:
        """One of the page's files."""
        return self._serve(request.path_params["path"], request)

    def _serve(self, path: str, request: Request) -> Response:
        version, _, name = path.partition("/")
        named = version.startswith("v-")
        name = name if named else path
        if named and version != self._version and name.endswith(".js") and name not in self._packs:
            name = _OUTDATED
        if name not in self._bodies and not (named and name in self._packs):
            return PlainTextResponse("not found", 404)
        cached = _FOREVER if version == self._version else _FRESH
        return (self._linked(name, cached) if named else self._plain(name)).answer(request)

    def _make_plain(self, name: str) -> _File:
        return _file(self._bodies[name], name, _FRESH)

    def _make_linked(self, name: str, cached: str) -> _File:
        """A file as pages name it: what it imports comes by the pack, what it names has the version."""
        if modules := self._packs.get(name):
            body = pack(_MAIN, imported(modules, self._bodies), self._bodies)
        else:
            body = self._bodies[name]
            body = linked(name, body) if name.endswith(".js") else body
        return _file(self._versioned(body) if name.endswith(".js") else body, name, cached)

    def _versioned(self, body: bytes) -> bytes:
        return body.replace(b"/static/", f"/static/{self._version}/".encode())
