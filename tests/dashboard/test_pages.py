"""The page's files: a fixed table, revalidated, compressed where that is worth it."""

import gzip
import re
from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers

from mqttbridge.dashboard.packing import imported, linked, pack, without_comments
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
        "js/a.js": b'import { c } from "./deep/c.js";\nconst later = () => import("./late.js");\n',
        "js/deep/c.js": b'import { a } from "../a.js";\n',
        "texts/b.js": b"",
        "js/late.js": b"",
    }

    assert imported(["js/page.js"], sources) == ["js/page.js", "js/a.js", "texts/b.js", "js/deep/c.js"]


def test_a_pack_holds_its_modules_as_functions_that_import_and_export_by_hand():
    sources = {
        "js/loader.js": b"LOADER\n",
        "js/a.js": b"""import { b as c, d } from "./deep/b.js";
import x from "../vendor/x.js";
export const a = c + d + x;
""",
        "js/deep/b.js": b"""export function b() {}
export async function d() { return import("../a.js"); }
export class E {}
""",
        "vendor/x.js": b"var u=1;export{u as v,w};\nexport default u;\n",
    }

    sent = pack("js/a.js", ["js/a.js", "js/deep/b.js", "vendor/x.js"], sources)

    assert sent.decode().split("\n") == [
        "LOADER",
        'packed.set("js/a.js", async () => {',
        'const [{ b: c, d }, { default: x }] = await Promise.all([need("js/deep/b.js"), need("vendor/x.js")]);',
        "",
        "const a = c + d + x;",
        "return { a };",
        "});",
        'packed.set("js/deep/b.js", async () => {',
        "function b() {}",
        'async function d() { return need("js/a.js"); }',
        "class E {}",
        "return { b, d, E };",
        "});",
        'packed.set("vendor/x.js", async () => {',
        "var u=1;",
        "",
        "return { v: u, w, default: u };",
        "});",
        'await need("js/a.js");',
        "",
    ]


@pytest.mark.parametrize("form", ['import * as a from "./a.js";', 'export * from "./a.js";', "export let a = 1;"])
def test_a_form_of_import_or_export_that_packs_do_not_know_is_no_pack(form):
    with pytest.raises(ValueError, match="is not a form"):
        pack("js/b.js", ["js/b.js"], {"js/loader.js": b"", "js/b.js": form.encode()})


def test_a_module_that_comes_later_finds_those_of_the_pack():
    source = b'import { a } from "./a.js";\nexport const b = () => import("./c.js").then(a);\n'

    assert linked("js/b.js", source).decode() == (
        'const [{ a }] = await Promise.all([need("js/a.js")]);\nexport const b = () => need("js/c.js").then(a);\n'
    )


def test_no_modules_import_each_other_in_a_circle():
    # Those of a pack begin when all that they import have begun.
    sources = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*.js")}
    sources = {name: without_comments(source) for name, source in sources.items()}

    circles = [name for name in sources if name in imported(imported([name], sources)[1:], sources)]

    assert circles == []


VIEWS = ["/", "/b/any", "/b/any/waves", "/b/any/source", "/f/1", "/alerts", "/settings", "/login", "/bridge"]


@pytest.mark.parametrize("address", VIEWS)
def test_a_view_s_modules_come_in_one_script_that_browsers_keep(served, address):
    page = served.get(address).text
    scripts = re.findall(r'<script type="module" src="([^"]+)"', page)
    answer = served.get(scripts[0])

    assert len(scripts) == 1
    assert answer.headers["cache-control"] == "max-age=31536000, immutable"
    assert 'packed.set("js/main.js"' in answer.text
    assert set(re.findall(r'"(/static/[^/"]+/)', page)) == set(re.findall(r'["`](/static/[^/"`]+/)', answer.text))


def test_a_board_s_first_load_is_light(served):
    page = served.get("/b/any", headers={"Accept-Encoding": "gzip"})
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)

    sent = sum(len(gzip.compress(served.get(file).content)) for file in files)

    assert len(files) < 12
    assert sent < 110_000


def test_a_page_that_was_opened_before_an_upgrade_begins_anew_rather_than_mix_two_versions(served):
    for module in ("dom", "gone-since"):
        old = served.get(f"/static/v-0123/js/{module}.js")
        assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
        assert "location.reload()" in old.text


def test_what_is_whole_a_page_gets_whatever_its_version_but_does_not_keep_it(served):
    pack = served.get("/static/v-0123/js/pack-board-page.js")
    style = served.get("/static/v-0123/css/board.css")

    assert [answer.headers["cache-control"] for answer in (pack, style)] == ["no-cache"] * 2
    assert "/static/v-0123/" not in pack.text
    assert served.get("/static/v-0123/css/none.css").status_code == 404
    assert served.get("/static/js/pack-board-page.js").status_code == 404
