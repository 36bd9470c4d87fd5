"""The command line: one file a command, imported only when it is the one to run.

Exit codes: 0 done (or stopped by a signal after a drain), 1 operational failure, 2 bad usage or configuration.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, NoReturn

import click

from mqttbridge import __version__
from mqttbridge.errors import BridgeError, ConfigError

EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2

# In the order in which a newcomer meets them. The summary stands here so that `--help` imports none of them.
COMMANDS: Final = {
    "demo": ("mqttbridge.cli.demo:demo", "See it work: a broker, a simulated fleet, the bridge, its dashboard."),
    "check": ("mqttbridge.cli.check:check", "Say everything that is wrong with a configuration."),
    "discover": ("mqttbridge.cli.discover:discover", "Listen to a broker and propose a configuration for it."),
    "explain": ("mqttbridge.cli.explain:explain", "Say what the rules make of a message, and why."),
    "record": ("mqttbridge.cli.record:record", "Write what is published as JSON lines."),
    "test": ("mqttbridge.cli.test:test", "Run messages with known outcomes through their rules."),
    "run": ("mqttbridge.cli.run:run", "Run the bridge and its dashboard in the foreground."),
    "serve": ("mqttbridge.cli.serve:serve", "Run the dashboard and its Events API alone, without a broker."),
    "stream": ("mqttbridge.cli.stream:stream", "Push values from standard input to a dashboard."),
    "token": ("mqttbridge.cli.token:token", "Say who may stream to which figure: add, ls, rm."),
    "rejected": ("mqttbridge.cli.rejected:rejected", "Look at what was refused; send it through the rules again."),
    "spool": ("mqttbridge.cli.spool:spool", "See what waits to be delivered; send what a Streamer left."),
    "schema": ("mqttbridge.cli.schema:schema", "Print the JSON Schema of the configuration, for editors."),
    "version": ("mqttbridge.cli.version:version", "Say which versions of what are at work here."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # likewise
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101  # a programming error, not an input
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BridgeError as error:
            _fail(ctx, error)


def _fail(ctx: click.Context, error: BridgeError) -> NoReturn:
    """Ends the command with the error in words: a traceback would tell the user nothing more."""
    if isinstance(error, ConfigError):
        click.echo(str(error), err=True)
        ctx.exit(EXIT_USAGE)
    click.echo(f"mqttbridge: {error}", err=True)
    ctx.exit(EXIT_FAILURE)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Configured by one YAML file (./config.yaml unless -c names another), MQTTBRIDGE_... variables, or none.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """From any MQTT broker to a live dashboard, losing nothing.

    \b
    Try it without a broker or a configuration:
      mqttbridge demo
    Point it at your broker, and open http://127.0.0.1:8080:
      mqttbridge run --broker mqtt://localhost
    """  # noqa: D301  # \b is click's mark for a block to leave as it is


def main() -> None:
    """Entry point of `mqttbridge` and `python -m mqttbridge`."""
    cli(prog_name="mqttbridge")
