"""What the commands that need a configuration share: the option that names it, its loading and compiling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mqttbridge.config.contradictions import contradictions
from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.config.environment import CONFIG_VARIABLE
from mqttbridge.config.loading import NOTHING, LoadedConfig, read_draft, validate
from mqttbridge.config.salvage import salvage
from mqttbridge.errors import ConfigError, Problem
from mqttbridge.mapping import InvalidRules, Rulebook

if TYPE_CHECKING:
    from mqttbridge.config.model import Config

DEFAULT_FILE: Final = Path("config.yaml")

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """Adds `-c FILE`, passed to the command as `config: Path | None`; see `find_config`."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        envvar=CONFIG_VARIABLE,
        metavar="FILE",
        help=f"The configuration. [default: ./{DEFAULT_FILE} if there is one, else the environment alone]",
    )(command)


def find_config(named: Path | None) -> Path | None:
    """The file to load: the one that was named, else ./config.yaml where there is one."""
    return named or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)


def load_and_compile(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] = NOTHING
) -> tuple[Config, Rulebook]:
    """Loads the configuration (see `load_config`) and compiles its rules and models; raises what `load_whole` does."""
    loaded, rulebook = load_whole(path, environ, overrides)
    return loaded.config, rulebook


def load_whole(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] = NOTHING
) -> tuple[LoadedConfig, Rulebook]:
    """The configuration, which still knows where each part of it stands, and its rules.

    Raises:
        ConfigError: with every problem of both, in the order of the sources.
    """
    draft = read_draft(path, environ, overrides)
    config = validate(draft)
    if path is not None and (beside := str(path.resolve().parent)) not in sys.path:
        sys.path.append(beside)  # where `model: package.module:Model` is looked for, after what is installed
    usable = config or salvage(draft)
    if why := _refusal_to_listen(usable):
        draft.problems.append(draft.problem(("http", "listen"), why))
    draft.problems += [draft.problem(loc, what) for loc, what in contradictions(usable)]
    try:
        rulebook = Rulebook(usable)
    except InvalidRules as invalid:
        found = [draft.problem(loc, what) for loc, what in invalid.problems]
        draft.problems += [problem for problem in found if not _follows(problem, draft.problems)]
    if config is None or draft.problems:
        raise ConfigError(draft.in_order(draft.problems))
    return LoadedConfig(config, draft), rulebook


def _follows(problem: Problem, reported: Collection[Problem]) -> bool:
    """Whether it only says that a section is missing which could not be read, for a reason that is told already."""
    return any(other.path.startswith(f"{problem.path}.") for other in reported)


def _refusal_to_listen(config: Config) -> str | None:
    if config.http.address[0] == "127.0.0.1":
        return None
    from mqttbridge.dashboard.reach import refuse_to_start  # noqa: PLC0415  # loads the dashboard: seldom needed

    # On the dashboard's page the first key can be made: until then it shows nothing.
    keeps_keys = any(isinstance(one, EmbeddedConfig) for one in config.destinations.values())
    return refuse_to_start(config.http, keeps_keys=keeps_keys)
