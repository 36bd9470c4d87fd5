"""Every word of the page stands in texts/en.js, each language says all of it, and nothing is said twice in vain."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

import mqttbridge.dashboard
from tests.support.page_source import HOLE, Literal, literals

STATIC: Final = Path(mqttbridge.dashboard.__file__).parent / "static"
LANGUAGES: Final = [path.stem for path in sorted((STATIC / "texts").glob("*.js")) if path.stem != "en"]

PLURALS: Final = {"zero", "one", "two", "few", "many", "other"}
TAG: Final = re.compile(r"<[^<>]*>")
WORD: Final = re.compile(r"[A-Za-z]{2,}")
SAID_BY_ATTRIBUTE: Final = re.compile(r"""(?:aria-label|aria-description|title|placeholder|alt)="([^"]*)\"""")
SENTENCE: Final = re.compile(r"^[A-Z][a-z]+(?: [a-z]+)+[ .…:]?|…$")

# What is called the same in every language, or is what somebody else reads.
NAMES: Final = {"mqttbridge", "mqttbridge rejected ls", "Europe/Berlin", "home/kitchen/climate"}


@cache
def texts(language: str) -> dict[str, Any]:
    """A text file's leaves by their path; a text of several forms is one leaf."""
    source = (STATIC / "texts" / f"{language}.js").read_text("utf-8")
    name = "en" if language == "en" else "texts"
    script = f"{source}\nconsole.log(JSON.stringify({name}));"
    run = subprocess.run(
        ["node", "--input-type=module"], input=script, capture_output=True, text=True, encoding="utf-8", check=True
    )
    return flat(json.loads(run.stdout))


def flat(inside: dict[str, Any], path: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in inside.items():
        if isinstance(value, str) or (value and set(value) <= PLURALS):
            leaves[path + key] = value
        else:
            leaves |= flat(value, f"{path}{key}.")
    return leaves


@cache
def strings() -> dict[str, list[Literal]]:
    """The literals of each module."""
    modules = sorted((STATIC / "js").rglob("*.js"))
    return {path.relative_to(STATIC).as_posix(): list(literals(path.read_text("utf-8"))) for path in modules}


def forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def placeholders(text: str | dict[str, str]) -> set[str]:
    return {name for form in forms(text) for name in re.findall(r"\{(\w+)\}", form)}


def paths_asked_for() -> dict[str, str]:
    """Regular expressions of the paths that modules name, with where they do."""
    sections = {path.split(".")[0] for path in texts("en")}
    path = re.compile(rf"(?:{'|'.join(sections)})\.[\w.{HOLE}]*[\w{HOLE}]")
    return {
        re.escape(one.text).replace(HOLE, r"[\w-]+"): f"{module}:{one.line}"
        for module, found in strings().items()
        for one in found
        if path.fullmatch(one.text)
    }


def test_no_module_says_anything_by_itself() -> None:
    said = []
    for module, found in strings().items():
        for one in found:
            if one.is_html:
                words = [*TAG.split(one.text), *SAID_BY_ATTRIBUTE.findall(one.text)]
            else:
                words = [one.text] if SENTENCE.search(one.text) else []
            said += [
                f"{module}:{one.line}: {text.strip()}"
                for text in words
                if WORD.search(text) and text.replace(HOLE, " ").strip() not in NAMES
            ]
    assert said == []


def test_every_text_that_is_asked_for_is_there() -> None:
    missing = {
        f"{where}: {path}"
        for path, where in paths_asked_for().items()
        if not any(re.fullmatch(path, one) for one in texts("en"))
    }
    assert missing == set()


def test_every_text_is_asked_for() -> None:
    asked = re.compile("|".join(paths_asked_for()))
    assert [path for path in texts("en") if not asked.fullmatch(path)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_all_of_it_with_the_same_values(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert sorted(english.keys() - other.keys()) == []
    assert sorted(other.keys() - english.keys()) == []
    assert {path: placeholders(text) for path, text in english.items()} == {
        path: placeholders(text) for path, text in other.items()
    }
    assert [path for path, text in other.items() if isinstance(text, dict) and "other" not in text] == []
