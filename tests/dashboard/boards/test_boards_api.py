"""A bucket's dashboard document: saved by version, read back, refused when it makes no sense, written in the YAML."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mqttbridge.config.dashboards import MAX_TILES
from tests.support.dashboards import Served, serve
from tests.support.event_source import EventSource

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BOARD = "/api/v1/buckets/hall/dashboard"


@pytest.fixture
def hall(served: Served) -> Served:
    served.push("hall", {"key": "temperature", "value": 21.5})
    return served


def put(served: Served, document: Any, version: int | None = 0, path: str = BOARD, **headers: str) -> requests.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    match = {} if version is None else {"If-Match": f'"{version}"'}
    return served.session.put(served.url + path, data=body, headers=match | headers, timeout=10)


def tile(**what: Any) -> dict[str, Any]:
    return {"id": "a", "type": "line", "streams": ["temperature"], "x": 0, "y": 0, "w": 4, "h": 3} | what


def test_without_a_document_the_page_makes_the_board_by_itself(hall):
    made = {"version": 0, "at": None, "source": "auto", "document": None, "editable": True}
    assert hall.get(BOARD).json() == made


def test_a_saved_document_comes_back_with_every_default_written_out(hall):
    assert put(hall, {"tiles": [tile()]}).json() == {"version": 1}

    answer = hall.get(BOARD).json()
    assert answer["version"] == 1
    assert answer["source"] == "saved"
    assert answer["document"]["auto"] is True
    assert answer["document"]["tiles"] == [
        tile(title="", unit="", color="", min=None, max=None, thresholds=[], options={})
    ]


def test_who_saves_second_hears_who_was_first(hall):
    put(hall, {"title": "first", "tiles": []})

    late = put(hall, {"title": "second", "tiles": []})

    assert late.status_code == 409
    assert late.json()["version"] == 1
    assert late.json()["document"]["title"] == "first"
    assert late.json()["at"] > 1e9
    assert put(hall, {"title": "second", "tiles": []}, version=1).json() == {"version": 2}


def test_who_has_the_board_open_hears_of_each_version(hall):
    put(hall, {"title": "first", "tiles": []})
    with EventSource(hall.url, "hall") as other:
        greeted = other.next()
        put(hall, {"title": "second", "tiles": []}, version=1)
        changed = other.next()
        hall.session.delete(hall.url + BOARD, timeout=10)
        gone = other.next()

    assert (greeted.event, greeted.data["board"]) == ("hello", 1)
    assert (changed.event, changed.data["board"]) == ("board", 2)
    assert (gone.event, gone.data["board"]) == ("board", 0)


def test_a_version_must_be_named(hall):
    assert put(hall, {}, version=None).status_code == 428


def test_earlier_versions_are_listed_and_can_be_read(hall):
    put(hall, {"title": "one"})
    put(hall, {"title": "two", "tiles": [tile()]}, version=1)

    versions = hall.get(f"{BOARD}/versions").json()["versions"]

    assert [(one["version"], one["tiles"]) for one in versions] == [(2, 1), (1, 0)]
    assert hall.get(f"{BOARD}?version=1").json()["document"]["title"] == "one"
    assert hall.get(f"{BOARD}?version=7").status_code == 404


def test_deleting_goes_back_to_automatic_and_keeps_the_history(hall):
    put(hall, {"title": "one"})

    assert hall.session.delete(hall.url + BOARD, timeout=10).json() == {"deleted": True}
    assert hall.get(BOARD).json()["source"] == "auto"
    assert put(hall, {"title": "two"}, version=0).json() == {"version": 3}
    assert len(hall.get(f"{BOARD}/versions").json()["versions"]) == 2


def test_types_and_options_that_are_not_known_are_kept(hall):
    strange = tile(type="hologram", options={"depth": [1, {"x": None}]})

    put(hall, {"tiles": [strange]})

    kept = hall.get(BOARD).json()["document"]["tiles"][0]
    assert (kept["type"], kept["options"]) == ("hologram", strange["options"])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "an object"),
        ({"tiels": []}, "tiels: Extra inputs"),
        ({"tiles": [tile(x=10)]}, "would end at column 14"),
        ({"tiles": [tile(), tile()]}, "same id"),
        ({"tiles": [tile(id="<b>")]}, "tiles.0.id"),
        ({"tiles": [tile(min=3, max=2)]}, "min must be below max"),
        ({"tiles": [tile(color="red;}")]}, "color"),
        ({"tiles": [tile(options={"text": "x" * 30_000})]}, "at most 20000 bytes"),
        ({"tiles": [tile(thresholds=[{"at": "x"}])]}, "tiles.0.thresholds.0.at"),
        ({"tiles": [tile(id=f"t{n}") for n in range(MAX_TILES + 1)]}, "at most 500 items"),
        ({"background": {"image": "javascript:alert(1)"}}, "background.image"),
        (b'{"tiles": [{"options": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}]}", "recursion"),
        (b'{"tiles": [{"min": NaN}]}', "min"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_in_words(hall, document, words):
    answer = put(hall, document)

    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_body_that_is_too_large_is_refused(hall):
    assert put(hall, b" " * 1_000_001).status_code == 413


def test_a_bucket_that_is_not_there_has_no_document(hall):
    elsewhere = "/api/v1/buckets/attic/dashboard"

    assert hall.get(elsewhere).status_code == 404
    assert put(hall, {}, path=elsewhere).status_code == 404


def test_a_picture_is_told_by_its_bytes_and_served_as_what_it_is(hall):
    picture = f"{BOARD}/background"

    assert hall.get(picture).status_code == 404
    assert put(hall, PNG, path=picture, **{"Content-Type": "text/html"}).json() == {"size": len(PNG)}
    answer = hall.get(picture)
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert hall.get(picture, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert put(hall, b"<svg xmlns='http://www.w3.org/2000/svg'/>", path=picture).status_code == 415
    assert hall.session.delete(hall.url + picture, timeout=10).json() == {"deleted": True}
    assert hall.get(picture).status_code == 404


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, {"write_keys": ["write"], "view_tokens": ["view"]}) as running:
        running.session.headers["X-IS-AccessKey"] = "write"
        running.push("hall", {"key": "temperature", "value": 21.5})
        del running.session.headers["X-IS-AccessKey"]
        yield running


def test_a_view_token_reads_and_a_write_key_changes(keyed):
    view, write = {"Authorization": "Bearer view"}, {"Authorization": "Bearer write"}

    assert keyed.get(BOARD).status_code == 401
    assert keyed.get(BOARD, headers=view).json()["editable"] is False
    assert keyed.get(BOARD, headers=write).json()["editable"] is True
    assert put(keyed, {}, **view).status_code == 403
    assert put(keyed, {}, **write).json() == {"version": 1}
    assert put(keyed, PNG, path=f"{BOARD}/background", **view).status_code == 403
    assert keyed.session.delete(keyed.url + BOARD, headers=view, timeout=10).status_code == 403


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "hall.json").write_text('{"title": "From a file"}')
    dashboards = {
        "hall": {"file": str(tmp_path / "hall.json")},
        "site-*": {"title": "Sites", "tiles": [{"type": "line", "streams": ["a"], "w": 6}]},
    }
    with serve(tmp_path, config={"dashboards": dashboards}) as running:
        for bucket in ("hall", "site-7", "attic"):
            running.push(bucket, {"key": "a", "value": 1})
        yield running


def test_a_dashboard_of_the_configuration_is_shown_read_only(configured):
    answer = configured.get("/api/v1/buckets/site-7/dashboard").json()

    assert (answer["source"], answer["editable"], answer["version"]) == ("config", False, 0)
    assert answer["document"]["title"] == "Sites"
    (tile_,) = answer["document"]["tiles"]
    assert (tile_["id"], tile_["x"], tile_["w"]) == ("t1", None, 6)
    refused = put(configured, {}, path="/api/v1/buckets/site-7/dashboard")
    assert refused.status_code == 403
    assert "written in the configuration" in refused.json()["error"]
    assert configured.get("/api/v1/buckets/attic/dashboard").json()["source"] == "auto"


def test_a_file_of_the_configuration_is_read_anew_and_what_is_wrong_with_it_is_said(configured, tmp_path):
    assert configured.get(BOARD).json()["document"]["title"] == "From a file"

    (tmp_path / "hall.json").write_text('{"title": 5}')

    answer = configured.get(BOARD)
    assert answer.status_code == 500
    assert "hall.json: title: Input should be a valid string" in answer.json()["error"]
