"""What others may build on, pinned: a name that disappears here breaks somebody."""

import importlib
import subprocess
import sys

import pytest

import mqttbridge
from mqttbridge import errors

PUBLIC = {
    "mqttbridge.errors": {
        "BridgeError", "ConfigError", "DashboardError", "DataDirError", "ListenError", "Problem", "ProtocolViolation",
        "SpoolError", "SpoolFull", "StoreError", "StreamError",
    },
    "mqttbridge.events": {
        "Batch", "Event", "EventTuple", "MAX_NAME_CHARS", "MAX_TEXT_CHARS", "Position", "Reason", "Rejected", "Value",
    },
    "mqttbridge.mapping": {"InvalidRules", "Route", "Rulebook"},
    "mqttbridge.spool": {"RejectedRow", "Row", "Spool", "SpoolReader", "SpoolStats"},
    "mqttbridge.delivery.settlement": {"Accepted", "BucketGone", "Kept", "Refused", "Settlement"},
    "mqttbridge.destinations.base": {"BatchLimits", "Delivery", "Destination"},
    "mqttbridge.client.plotly_stream": {"Stream", "StreamConfig"},
    "mqttbridge.panel": {"LiveSource", "latest", "live_source"},
    "mqttbridge.bridge": {"Bridge"},
    "mqttbridge.client.streamer": {"Streamer"},
    "mqttbridge.cli": {"main"},
    "mqttbridge.cli.load": {"load_and_compile"},
}  # fmt: skip


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_there(module):
    names = set(vars(importlib.import_module(module)))

    assert PUBLIC[module] <= names


def test_the_package_itself_offers_its_version_and_what_programs_import():
    public = {name for name in vars(mqttbridge) if not name.startswith("_")} - {"TYPE_CHECKING"}
    modules = {name for name in public if importlib.util.find_spec(f"mqttbridge.{name}")}

    assert public == modules
    assert mqttbridge.__version__.count(".") == 2
    assert set(mqttbridge.__all__) == {"Stream", "StreamConfig", "Streamer", "__version__"}
    assert {getattr(mqttbridge, name) is not None for name in mqttbridge.__all__} == {True}
    assert set(mqttbridge.__all__) <= set(dir(mqttbridge))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Streamre'"):
        _ = mqttbridge.Streamre


def test_importing_the_package_loads_nothing_of_it():
    code = (
        "import sys, mqttbridge; print(sorted(n for n in sys.modules if n.split('.')[0] in ('requests', 'pydantic')))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_errors_are_one_tree():
    exceptions = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}

    assert all(issubclass(exception, errors.BridgeError) for exception in exceptions)
