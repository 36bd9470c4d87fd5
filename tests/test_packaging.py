"""What is shipped: the wheel, the container's files, the pinned versions."""

import getpass
import http.server
import re
import runpy
import subprocess
import sys
import threading
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

from mqttbridge import __version__
from mqttbridge.cli.load import load_and_compile
from mqttbridge.demo.broker import find_mosquitto
from tests.support.processes import free_port

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


# --- the wheel ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--quiet"),
            *("--disable-pip-version-check", "--wheel-dir", directory, ROOT),
        ],
        check=True,
    )
    (path,) = directory.iterdir()
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_package(wheel):
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mqttbridge").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert source <= set(wheel.namelist())
    assert {"mqttbridge/py.typed", "mqttbridge/demo/config.yaml", "mqttbridge/dashboard/static/index.html"} <= source


def test_the_wheel_holds_nothing_but_the_package(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert tops == {"mqttbridge", f"mqttbridge-{__version__}.dist-info"}


def test_vendored_scripts_come_with_their_licences(wheel):
    names = wheel.namelist()
    scripts = {Path(n).name for n in names if "/static/vendor/" in n and n.endswith(".js")}
    licences = [Path(n).stem.lower() for n in names if "/static/vendor/licenses/" in n]

    assert scripts
    for script in scripts:
        assert any(licence in script.lower() for licence in licences), script
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)


def test_the_metadata_says_what_pyproject_says(wheel):
    metadata = Parser().parsestr(wheel.read(f"mqttbridge-{__version__}.dist-info/METADATA").decode())
    core = [r for r in metadata.get_all("Requires-Dist") if "extra ==" not in r]

    assert metadata["Name"] == "mqttbridge"
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert len(core) == len(PROJECT["dependencies"])
    assert "From any MQTT broker" in metadata.get_payload()


def test_the_command_is_an_entry_point(wheel):
    entry_points = wheel.read(f"mqttbridge-{__version__}.dist-info/entry_points.txt").decode()

    assert "mqttbridge = mqttbridge.__main__:main" in entry_points


# --- pinned versions ------------------------------------------------------------------------------------


def pinned():
    lines = [line for line in read("constraints.txt").splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_line_of_the_constraints_pins_one_version():
    for line in read("constraints.txt").splitlines():
        assert line.startswith("# ") or re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line


def test_everything_that_pyproject_asks_for_is_pinned():
    names = {name.lower().replace("_", "-") for name in pinned()}
    extras = (r for name in ("demo", "dev") for r in PROJECT["optional-dependencies"][name])
    wanted = {re.match(r"[A-Za-z0-9_.-]+", r)[0].lower() for r in [*PROJECT["dependencies"], *extras]} - {"mqttbridge"}

    assert wanted | {"hatchling"} <= names


# --- the container --------------------------------------------------------------------------------------


def instructions():
    """The Dockerfile's instructions as (name, arguments), lines joined and comments left out."""
    lines = [line for line in read("Dockerfile").splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def last(name):
    return [arguments for instruction, arguments in instructions() if instruction == name][-1]


def test_the_image_runs_without_root_in_exec_form():
    assert last("USER") == "10001:10001"
    assert last("ENTRYPOINT") == '["mqttbridge"]'
    assert last("CMD") == '["run"]'
    assert last("VOLUME") == "/data"
    assert last("EXPOSE") == "8080"


def test_the_image_is_built_in_two_stages_from_pinned_versions_and_small_bases():
    bases = [arguments.split()[0] for instruction, arguments in instructions() if instruction == "FROM"]
    install = next(a for i, a in instructions() if i == "RUN" and "install --no-cache-dir" in a)

    assert len(bases) == 2
    assert all(base.startswith("python:3.") and base.endswith("-slim") for base in bases)
    assert "--constraint constraints.txt" in install


def test_everything_the_image_copies_exists_and_is_not_ignored():
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    sources = [
        source
        for instruction, arguments in instructions()
        if instruction == "COPY" and "--from" not in arguments
        for source in arguments.split()[:-1]
    ]

    assert "*" in read(".dockerignore").splitlines()
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert source in allowed


def test_the_image_s_environment_with_a_key_is_a_whole_configuration():
    environment = dict(re.findall(r"(MQTTBRIDGE_\w+)=(\S+)", last("ENV")))
    assert environment

    config, _ = load_and_compile(
        None,
        {**environment, "MQTTBRIDGE_MQTT__URL": "mqtt://broker:1883", "MQTTBRIDGE_HTTP__WRITE_KEYS": "[choose-a-key]"},
    )

    assert config.data_dir == "/data"
    assert config.http.address == ("0.0.0.0", 8080)
    assert [key.get_secret_value() for key in config.http.write_keys] == ["choose-a-key"]


@pytest.fixture
def answering():
    """A server that answers /livez with what the test sets as `status`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(server.status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def healthcheck():
    return runpy.run_path(str(ROOT / "deploy/healthcheck.py"))["main"]()


def test_the_health_check_passes_while_the_bridge_is_alive(answering, monkeypatch):
    monkeypatch.setenv("MQTTBRIDGE_HTTP__LISTEN", f"0.0.0.0:{answering.server_port}")

    assert healthcheck() == 0


def test_the_health_check_fails_when_a_thread_has_died(answering, monkeypatch):
    answering.status = 503
    monkeypatch.setenv("MQTTBRIDGE_HTTP__LISTEN", f"127.0.0.1:{answering.server_port}")

    assert healthcheck() == 1


def test_the_health_check_fails_when_nobody_answers(answering, monkeypatch, capsys):
    monkeypatch.setenv("MQTTBRIDGE_HTTP__LISTEN", "127.0.0.1:1")

    assert healthcheck() == 1
    assert "no answer at 127.0.0.1:1" in capsys.readouterr().out


# --- the composition ------------------------------------------------------------------------------------

COMPOSE = yaml.safe_load(read("deploy/compose.yaml"))


def test_every_file_that_the_composition_mounts_is_there():
    mounts = [volume for service in COMPOSE["services"].values() for volume in service["volumes"]]

    for source in (mount.split(":")[0] for mount in mounts):
        assert (ROOT / "deploy" / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_every_service_restarts_is_healthy_and_cannot_write_its_root():
    for service in COMPOSE["services"].values():
        assert service["restart"] == "unless-stopped"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert "healthcheck" in COMPOSE["services"]["broker"]
    assert COMPOSE["services"]["bridge"]["depends_on"]["broker"]["condition"] == "service_healthy"


def test_a_secret_that_is_missing_stops_the_composition_with_words():
    environment = COMPOSE["services"]["bridge"]["environment"]

    assert re.search(r"\$\{MQTTBRIDGE_KEY:\?[^}]+\}", environment["MQTTBRIDGE_HTTP__WRITE_KEYS"])


def test_the_composition_s_configuration_is_valid(monkeypatch):
    environment = {
        name: re.sub(r"\$\{\w+:\?[^}]+\}", "a-key", value)
        for name, value in COMPOSE["services"]["bridge"]["environment"].items()
    }

    config, _ = load_and_compile(ROOT / "deploy/config.yaml", environment)

    assert config.mqtt.url == "mqtt://broker:1883"
    assert [key.get_secret_value() for key in config.http.write_keys] == ["a-key"]


def test_a_stop_of_the_composition_waits_longer_than_the_bridge_drains():
    config, _ = load_and_compile(ROOT / "deploy/config.yaml", {})

    assert int(COMPOSE["services"]["bridge"]["stop_grace_period"].removesuffix("s")) > config.shutdown_timeout


@pytest.mark.broker
def test_mosquitto_takes_the_composition_s_configuration(tmp_path):
    text = read("deploy/mosquitto.conf").replace("listener 1883", f"listener {free_port()} 127.0.0.1")
    text = text.replace("/mosquitto/data/", f"{tmp_path}/") + f"\nuser {getpass.getuser()}\n"
    text = text.replace("log_dest stdout", "log_dest stderr")  # a pipe would buffer the former
    (tmp_path / "mosquitto.conf").write_text(text, encoding="utf-8")
    said = []

    with subprocess.Popen(
        [find_mosquitto(), "-c", tmp_path / "mosquitto.conf"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as broker:
        try:
            for line in broker.stdout:
                said.append(line)
                if line.rstrip().endswith("running"):
                    break
        finally:
            broker.kill()  # at this moment, Mosquitto may miss a SIGTERM

    assert said[-1].rstrip().endswith("running"), said
    assert not any("Error" in line for line in said), said
