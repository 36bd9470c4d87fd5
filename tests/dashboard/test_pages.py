"""The page's files: a fixed table, revalidated, compressed where that is worth it."""

import gzip
from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers

from mqttbridge.dashboard.modules import imported, preloading, without_comments
from mqttbridge.dashboard.pages import FOLDER, Pages


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>x</title>")
    (tmp_path / "js" / "page.js").write_text("long();\n" * 1000)
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


@pytest.mark.parametrize("path", ["../app.py", "js/../../app.py", "/etc/passwd", "..%2fapp.py", "", "js", "js/"])
def test_what_is_not_in_the_table_is_not_there(pages, path):
    assert ask(pages, path).status_code == 404


def test_every_address_of_the_page_is_the_one_page(served):
    assert served.get("/b/other").content == served.get("/b/any%2Fname").content
    assert served.get("/").headers["content-type"] == "text/html; charset=utf-8"


def test_comments_are_not_sent_and_lines_keep_their_numbers():
    source = b"""/**
 * What it is.
 */
  // alone
const url = "http://x"; // beside code it stays
/** @type {number} */ (a) = 1;
const b = `
  kept`; /* one */
"""

    sent = without_comments(source).split(b"\n")

    assert sent == [
        b"",
        b"",
        b"",
        b"",
        b'const url = "http://x"; // beside code it stays',
        b"/** @type {number} */ (a) = 1;",
        b"const b = `",
        b"  kept`; /* one */",
        b"",
    ]


def test_what_is_taken_from_our_scripts_is_never_within_a_text_of_several_lines():
    inside = []
    for path in FOLDER.rglob("*.js"):
        if "vendor" in path.parts or path.name == "markdown.js":  # its regular expressions have backticks of their own
            continue
        source = path.read_bytes()
        open_text = False
        for line, sent in zip(source.split(b"\n"), without_comments(source).split(b"\n"), strict=True):
            if open_text and line != sent:
                inside.append((path.name, line))
            open_text ^= bool(sent.count(b"`") % 2)

    assert inside == []


def test_the_modules_of_a_view_are_all_that_it_imports_however_deep():
    sources = {
        "js/page.js": b'import { a } from "./a.js";\nimport {\n  b,\n} from "../texts/b.js";\n',
        "js/a.js": b'export { c } from "./deep/c.js";\nconst later = () => import("./late.js");\n',
        "js/deep/c.js": b'import { a } from "../a.js";\n',
        "texts/b.js": b"",
        "js/late.js": b"",
    }

    assert imported(["js/page.js"], sources) == ["js/page.js", "js/a.js", "texts/b.js", "js/deep/c.js"]


def test_a_page_asks_for_its_modules_while_it_is_read():
    assert preloading(b"<head></head>", ["js/a.js"]) == (
        b'<head>  <link rel="modulepreload" href="/static/js/a.js">\n</head>'
    )


def test_a_bucket_s_page_names_the_modules_that_its_board_is_made_of(served):
    page = served.get("/b/any").text

    assert all(f'"/static/js/{name}.js"' in page for name in ("main", "board/page", "tiles/line", "charts/plot"))
    assert "/static/js/alerts/page.js" not in page
