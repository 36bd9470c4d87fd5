"""From a file, the environment and the command line to a `Config`, or to all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from mqttbridge.config.draft import Draft, Layer
from mqttbridge.config.environment import lay_environment
from mqttbridge.config.files import UnreadableFile, read_text
from mqttbridge.config.model import Config
from mqttbridge.config.wording import WANTS_TEXT, in_words
from mqttbridge.config.yaml_tree import MAX_TEXT_BYTES, Scalar, Table, YamlError, parse_yaml
from mqttbridge.errors import ConfigError, Problem

if TYPE_CHECKING:
    from mqttbridge.config.schema import Loc

COMMAND_LINE: Final = "command line"
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A valid configuration that still knows where each part of it stands."""

    config: Config
    draft: Draft

    def problem(self, loc: Loc, what: str) -> Problem:
        """A problem that was found later, at the line of `loc` or of the nearest thing around it."""
        return self.draft.problem(loc, what)


def load_config(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] = NOTHING) -> LoadedConfig:
    """Loads the configuration.

    Args:
        path: the YAML file; None for defaults and the environment alone.
        environ: where `${NAME}` and the `MQTTBRIDGE_...` variables are read.
        overrides: nested as the file is; wins over both.

    Raises:
        ConfigError: with every problem, in the order of the sources.
    """
    draft = read_draft(path, environ, overrides)
    config = validate(draft)
    if config is None or draft.problems:
        raise ConfigError(draft.in_order(draft.problems))
    return LoadedConfig(config, draft)


def read_draft(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] = NOTHING) -> Draft:
    """Reads and merges the sources; what is wrong with single values is noted in the draft.

    Raises:
        ConfigError: the file as a whole cannot be used.
    """
    draft = Draft()
    if path is not None:
        _lay_file(draft, path, environ)
    lay_environment(draft, environ)
    draft.lay_values(Layer(COMMAND_LINE), overrides)
    return draft


def validate(draft: Draft) -> Config | None:
    """The configuration that the draft makes; None, with the problems noted in the draft, if it makes none."""
    while True:
        try:
            return Config.model_validate(draft.data())
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False)
        # A value is taken as text only once, so this ends.
        if not [error for error in errors if error["type"] in WANTS_TEXT and draft.take_as_text(error["loc"])]:
            draft.problems += in_words(draft, errors)
            return None


def _lay_file(draft: Draft, path: Path, environ: Mapping[str, str]) -> None:
    try:
        root = parse_yaml(read_text(path, MAX_TEXT_BYTES))
    except UnreadableFile as error:
        raise ConfigError([Problem(str(path), error.line, "", str(error))]) from None
    except YamlError as error:
        raise ConfigError([Problem(str(path), error.line, "", error.what)]) from None
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        return
    if not isinstance(root, Table):
        what = "expected a mapping of sections, such as 'mqtt:' and 'rules:'"
        raise ConfigError([Problem(str(path), root.line, "", what)])
    draft.lay(Layer(str(path), environ, path.parent), root)
