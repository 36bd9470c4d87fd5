"""Configuration by the environment: `MQTTBRIDGE_MQTT__URL` is `mqtt.url`, `..._FILE` reads it from a file.

A variable's text is taken as it stands, so a password may hold `#`, `: ` or `${`. Only where the configuration
has a section, a mapping or a list is it read as YAML, with all that holds there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from mqttbridge.config import schema
from mqttbridge.config.draft import Draft, Layer
from mqttbridge.config.files import UnreadableFile, read_secret, read_text
from mqttbridge.config.schema import Loc
from mqttbridge.config.yaml_tree import MAX_TEXT_BYTES, Items, Node, Scalar, YamlError, parse_yaml

PREFIX: Final = "MQTTBRIDGE_"
CONFIG_VARIABLE: Final = "MQTTBRIDGE_CONFIG"
"""Names the configuration's file, as `-c` does."""

# What Kubernetes sets in every pod beside a Service that is called mqttbridge.
_SERVICE_LINK: Final = re.compile(
    PREFIX + r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)?)"
)


def lay_environment(draft: Draft, environ: Mapping[str, str]) -> None:
    """Lays what the variables say over the draft; what is wrong with one is noted under its name."""
    # Outer places first: MQTTBRIDGE_RULES makes the list that MQTTBRIDGE_RULES__0__TOPIC then reaches into.
    for variable in sorted(_ours(environ), key=lambda name: (name.count("__"), name)):
        layer = Layer(variable, environ)
        try:
            _lay_variable(draft, layer, environ[variable])
        except UnreadableFile as error:
            draft.note(layer, error.line, (), f"the file {environ[variable]!r} cannot be used: {error}")
        except YamlError as error:
            draft.note(layer, error.line, (), error.what)


def _ours(environ: Mapping[str, str]) -> Iterator[str]:
    for name in environ:
        upper = name.upper()
        if upper.startswith(PREFIX) and upper != CONFIG_VARIABLE and not _SERVICE_LINK.fullmatch(name):
            yield name


def _lay_variable(draft: Draft, layer: Layer, text: str) -> None:
    parts = layer.name[len(PREFIX) :].split("__")
    loc, from_file = _place(draft, parts), False
    if loc is None and parts[-1].upper().endswith("_FILE"):
        loc, from_file = _place(draft, [*parts[:-1], parts[-1][: -len("_FILE")]]), True
    if loc is None:
        draft.note(layer, 0, (), f"unknown variable{_suggestion(layer.name)}")
        return
    if not text:
        return  # set but empty is as good as not set: orchestrators pass on what they do not know that way
    if not schema.is_structure(loc):
        text = read_secret(Path(text)) if from_file else text
        draft.lay(layer, _literal(text, plain=not schema.is_secret(loc)), loc)
        return
    if from_file:
        path = Path(text)
        layer = Layer(text, layer.environ, path.parent)
        text = read_text(path, MAX_TEXT_BYTES)
    node = _structure(text, loc)
    if node is not None:
        draft.lay(layer, node, loc)


def _place(draft: Draft, parts: list[str]) -> Loc | None:
    """Where the parts of a variable's name lead: to names that are there, else keys of the schema, else new names."""
    loc: Loc = ()
    for part in parts:
        if not part:
            return None
        if (length := draft.length_at(loc)) and part.isdecimal():
            if int(part) >= length:
                return None
            loc = (*loc, int(part))
            continue
        # A variable's name has no capitals of its own and no `-`.
        wanted = part.lower().replace("-", "_")
        names = (*draft.keys_at(loc), *schema.keys_at(loc))
        found = next((name for name in names if name.lower().replace("-", "_") == wanted), part.lower())
        loc = (*loc, found)
        if not schema.is_known(loc):
            return None
    return loc


def _literal(text: str, *, plain: bool) -> Scalar:
    return Scalar(0, text.replace("${", "$${"), plain=plain)


def _structure(text: str, loc: Loc) -> Node | None:
    """The tree of a structured value; a list of single values may be written `a, b`."""
    if schema.is_list(loc) and not schema.is_structure((*loc, 0)) and not text.lstrip().startswith(("[", "- ")):
        secret = schema.is_secret(loc)
        return Items(0, tuple(_literal(item.strip(), plain=not secret) for item in text.split(",")))
    return parse_yaml(text)


def _suggestion(variable: str) -> str:
    known = [PREFIX + "__".join(path).upper() for path in schema.key_paths()]
    close = get_close_matches(variable.upper(), known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else ""
