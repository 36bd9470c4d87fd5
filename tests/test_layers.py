"""Imports point one way, and each outside library has one home: docs/architecture.md draws it, this checks it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the words of the domain up to the command line. The longest prefix of a module's name counts.
LAYERS = {
    "mqttbridge": 0,  # the package itself: its version, and names for users that are loaded on use
    "mqttbridge.errors": 0,
    "mqttbridge.events": 0,
    "mqttbridge.metrics": 0,
    "mqttbridge.config": 0,
    # the pure core
    "mqttbridge.mapping": 1,
    "mqttbridge.delivery.settlement": 1,
    "mqttbridge.delivery.pacing": 1,
    "mqttbridge.sources.frames": 1,
    "mqttbridge.sources.schedule": 1,
    "mqttbridge.alerting": 1,
    # edges: each has one outside thing to deal with
    "mqttbridge.sources": 2,
    "mqttbridge.client": 2,
    "mqttbridge.spool": 2,
    "mqttbridge.sayings": 2,
    "mqttbridge.flow": 2,
    "mqttbridge.logtail": 2,
    "mqttbridge.unmatched": 2,
    "mqttbridge.destinations": 2,
    "mqttbridge.dashboard": 2,
    "mqttbridge.datadir": 2,
    "mqttbridge.ageclock": 2,
    "mqttbridge.alerting.actions": 2,
    "mqttbridge.alerting.backlog": 2,
    "mqttbridge.alerting.duty": 2,
    "mqttbridge.alerting.inbox": 2,
    "mqttbridge.alerting.ledger": 2,
    "mqttbridge.alerting.rules": 2,
    "mqttbridge.compat": 3,
    "mqttbridge.panel": 3,
    # loops
    "mqttbridge.loops": 3,
    "mqttbridge.ingest": 3,
    "mqttbridge.lastknown": 3,
    "mqttbridge.announced": 3,
    "mqttbridge.rebirths": 3,
    "mqttbridge.delivery": 3,
    "mqttbridge.alerting.desk": 3,
    "mqttbridge.alerting.dispatcher": 3,
    "mqttbridge.alerting.service": 3,
    "mqttbridge.alerting.standings": 3,
    "mqttbridge.tools": 3,  # what commands do beside the bridge: over the edges, under the commands
    "mqttbridge.standing": 4,  # asks all of them
    # composition
    "mqttbridge.bridge": 4,
    "mqttbridge.cli": 5,
    "mqttbridge.__main__": 5,
    "mqttbridge.demo": 5,
}

PURE = (
    "mqttbridge.events",
    "mqttbridge.mapping",
    "mqttbridge.client.live.points",
    "mqttbridge.client.live.sse",
    "mqttbridge.panel.sheet",
    "mqttbridge.dashboard.boards.expressions",
    "mqttbridge.alerting.conditions",
    "mqttbridge.alerting.firings",
    "mqttbridge.alerting.machine",
    "mqttbridge.alerting.matching",
    "mqttbridge.alerting.positions",
    "mqttbridge.alerting.wording",
    "mqttbridge.dashboard.plotly.protocol",
    "mqttbridge.dashboard.plotly.update",
    "mqttbridge.dashboard.plotly.trace",
    "mqttbridge.delivery.settlement",
    "mqttbridge.delivery.pacing",
    "mqttbridge.sources.frames",
    "mqttbridge.sources.schedule",
)
IMPURE = {
    "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "queue", "random", "select",
    "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip

# The simulated fleet is the world outside, and meets the bridge through paho as any device may.
HOMES = {
    "paho": ("mqttbridge.sources", "mqttbridge.demo.publisher"),
    "requests": ("mqttbridge.destinations", "mqttbridge.client", "mqttbridge.sources.http_client"),
    "urllib3": ("mqttbridge.destinations", "mqttbridge.client", "mqttbridge.sources.http_client"),
    "yaml": ("mqttbridge.config",),
    "starlette": ("mqttbridge.dashboard",),
    "uvicorn": ("mqttbridge.dashboard",),
    "sqlite3": (
        "mqttbridge.spool",
        "mqttbridge.dashboard.store",
        "mqttbridge.dashboard.records",
        "mqttbridge.client",
        "mqttbridge.cli.version",
    ),
    "psycopg": ("mqttbridge.dashboard.store.postgres", "mqttbridge.dashboard.records.postgres"),
    "click": ("mqttbridge.cli",),
    "jinja2": ("mqttbridge.mapping.families",),
    "pyarrow": ("mqttbridge.dashboard.raw.parquet",),
    "pandas": ("mqttbridge.panel",),
    "panel": ("mqttbridge.panel",),
    "param": ("mqttbridge.panel",),
    "holoviews": ("mqttbridge.panel",),
    "streamz": ("mqttbridge.panel",),
    "apprise": ("mqttbridge.alerting.actions.apprise",),
    "amqtt": ("mqttbridge.demo.embedded_broker",),
    "pydantic": ("mqttbridge",),
    "pydantic_core": ("mqttbridge",),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted((ROOT / "mqttbridge").rglob("*.py"))}


def imports(module: str) -> Iterator[tuple[str, int]]:
    """Every module that this one imports, wherever in it that stands, with the line."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:  # `from package import module` imports the module
                whole = f"{source}.{alias.name}"
                yield (whole if whole in MODULES else source), node.lineno


def is_within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def layer(module: str) -> int:
    prefixes = [prefix for prefix in LAYERS if is_within(module, prefix)]
    home = max(prefixes, key=len)
    assert home != "mqttbridge" or module == "mqttbridge", f"{module} has no layer: give it one in LAYERS"
    return LAYERS[home]


# The package's door for users: imports there are for type checkers, the names are loaded on use.
@pytest.mark.parametrize("module", [module for module in MODULES if module != "mqttbridge"])
def test_imports_never_point_up(module):
    upward = [
        f"{MODULES[module].relative_to(ROOT)}:{line}: layer {layer(module)} imports {other} of layer {layer(other)}"
        for other, line in imports(module)
        if is_within(other, "mqttbridge") and layer(other) > layer(module)
    ]

    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("module", [m for m in MODULES if any(is_within(m, pure) for pure in PURE)])
def test_the_pure_core_has_no_clock_socket_file_or_thread(module):
    impure = [f"{other} (line {line})" for other, line in imports(module) if other.split(".")[0] in IMPURE]

    assert not impure


@pytest.mark.parametrize("module", MODULES)
def test_each_outside_library_is_imported_only_where_it_lives(module):
    astray = [
        f"{other} (line {line})"
        for other, line in imports(module)
        for library, homes in HOMES.items()
        if other.split(".")[0] == library and not any(is_within(module, home) for home in homes)
    ]

    assert not astray


def test_every_outside_library_has_a_home():
    outside = {other.split(".")[0] for module in MODULES for other, _ in imports(module)} - {"mqttbridge"}

    assert outside - set(sys.stdlib_module_names) <= set(HOMES)
