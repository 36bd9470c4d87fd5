from __future__ import annotations

import json

from click.testing import CliRunner

from mqttbridge import __version__
from mqttbridge.cli import version as version_module
from mqttbridge.cli.version import version


def test_each_part_has_its_version_on_a_line():
    result = CliRunner().invoke(version)
    assert f"mqttbridge  {__version__}\n" in result.output
    assert "\nSQLite      3." in result.output


def test_a_script_reads_json_in_which_what_is_not_installed_is_null(monkeypatch):
    monkeypatch.setattr(version_module, "_LIBRARIES", ("click", "no-such-library-of-ours"))
    versions = json.loads(CliRunner().invoke(version, ["--json"]).output)
    assert versions["mqttbridge"] == __version__
    assert versions["no-such-library-of-ours"] is None
