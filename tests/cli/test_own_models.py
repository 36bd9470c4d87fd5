"""A user's own pydantic model is found beside the configuration that names it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mqttbridge.cli import cli

CONFIG = """
rules:
  - {topic: "plant/{machine}", model: "plant_models:Machine", bucket: plant, stream: "{machine}.{field}"}
"""


@pytest.fixture(autouse=True)
def unchanged_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_model_in_a_module_beside_the_configuration_is_found(tmp_path: Path) -> None:
    (tmp_path / "plant_models.py").write_text(
        "from pydantic import BaseModel\n\nclass Machine(BaseModel):\n    rpm: int\n"
    )
    (tmp_path / "config.yaml").write_text(CONFIG)
    result = CliRunner().invoke(cli, ["check", str(tmp_path / "config.yaml")])
    assert result.exit_code == 0, result.output
