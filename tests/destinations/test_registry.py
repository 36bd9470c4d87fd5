import subprocess
import sys
from types import SimpleNamespace
from typing import get_args

from mqttbridge.config.destinations import DestinationConfig, InitialStateConfig
from mqttbridge.destinations import _FACTORIES, DestinationContext, create


def test_every_type_of_the_configuration_can_be_made():
    (union, *_) = get_args(DestinationConfig)
    types = {get_args(section.model_fields["type"].annotation)[0] for section in get_args(union)}
    assert types == set(_FACTORIES)


def test_a_destination_has_the_name_it_is_configured_by(tmp_path):
    config = InitialStateConfig(type="initialstate", access_key="key")
    assert create("uplink", config, DestinationContext(tmp_path)).name == "uplink"


def test_the_embedded_one_gets_the_dashboards_store_and_hub(tmp_path):
    store, hub = SimpleNamespace(cursor=None), object()
    dashboard = SimpleNamespace(store=store, hub=hub, activity=None, classes=None)
    made = create("dashboard", SimpleNamespace(type="embedded"), DestinationContext(tmp_path, dashboard))
    assert (made._store, made._hub) == (store, hub)


def test_what_is_not_used_is_not_loaded():
    script = "import sys, mqttbridge.delivery.uploader, mqttbridge.destinations; print('requests' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
