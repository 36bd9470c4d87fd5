"""The page's files: a fixed table, revalidated, compressed where that is worth it."""

import gzip
from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers

from mqttbridge.dashboard.pages import Pages, without_comments


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>x</title>")
    (tmp_path / "js" / "page.js").write_text("a = 1; // long\n" * 1000)
    (tmp_path / "LICENSE").write_text("MIT")
    return Pages(tmp_path)


def ask(pages, path, **headers):
    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return pages._serve(path, SimpleNamespace(headers=named))


def test_each_file_has_its_type(pages):
    types = {name: ask(pages, name).headers["content-type"] for name in ("index.html", "js/page.js", "LICENSE")}

    assert types == {
        "index.html": "text/html; charset=utf-8",
        "js/page.js": "text/javascript; charset=utf-8",
        "LICENSE": "text/plain; charset=utf-8",
    }


def test_a_file_that_the_browser_has_is_not_sent_again(pages):
    first = ask(pages, "js/page.js")
    again = ask(pages, "js/page.js", If_None_Match=f'"other", W/{first.headers["etag"]}')

    assert (again.status_code, again.body) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


def test_long_files_are_sent_compressed_to_who_takes_that(pages):
    plain, packed = ask(pages, "js/page.js"), ask(pages, "js/page.js", Accept_Encoding="br, gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 10
    assert "content-encoding" not in ask(pages, "index.html", Accept_Encoding="gzip").headers


def test_comments_stay_at_home_and_lines_keep_their_numbers():
    source = """/** Of the file. */
import a from "./a.js"; // stays: it has no line of its own
  /**
   * @param {string} x
   */
  // one line
const url = "http://x/*y*/"; /* stays */
/** @type {HTMLElement} */ (root).focus(); // a type before code stays
const glob = `/* ${x} */`; /** @type {X} */
"""
    assert (
        without_comments(source)
        == """
import a from "./a.js"; // stays: it has no line of its own




const url = "http://x/*y*/"; /* stays */
/** @type {HTMLElement} */ (root).focus(); // a type before code stays
const glob = `/* ${x} */`; /** @type {X} */
"""
    )


@pytest.mark.parametrize("path", ["../app.py", "js/../../app.py", "/etc/passwd", "..%2fapp.py", "", "js", "js/"])
def test_what_is_not_in_the_table_is_not_there(pages, path):
    assert ask(pages, path).status_code == 404


def test_every_address_of_the_page_is_the_one_page(served):
    assert served.get("/").content == served.get("/b/any%2Fname").content
    assert served.get("/").headers["content-type"] == "text/html; charset=utf-8"
