"""`mqttbridge schema`: the JSON Schema of the configuration."""

from __future__ import annotations

import json

import click

from mqttbridge.config.json_schema import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    A first line `# yaml-language-server: $schema=config.schema.json` in a YAML file makes editors complete and
    explain each key.
    """
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
