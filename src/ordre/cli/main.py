"""The command `ordre`: all of its commands, and how it ends."""

import sys

from cyclopts import App, CycloptsError
from rich.console import RenderableType
from rich.text import Text

from ordre import __version__
from ordre.application.ports import StoreUnavailable
from ordre.backup.file import BadBackup
from ordre.cli import accounts, clients, keys, orders
from ordre.cli.backup import backup, restore
from ordre.cli.completion import completion_of
from ordre.cli.conformance import conformance
from ordre.cli.demo import demo
from ordre.cli.erase import erase
from ordre.cli.migrate import migrate
from ordre.cli.openapi import openapi
from ordre.cli.output import console, print_failure
from ordre.cli.serve import serve
from ordre.cli.settings import settings
from ordre.cli.verify import verify
from ordre.cli.worker import worker
from ordre.domain.refusals import Refused
from ordre.settings import BadSetting

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def _formatted(error: CycloptsError) -> RenderableType:
    """Say what is wrong with a command line: one sentence, as everything else that ends a command."""
    return Text.assemble(("ordre:", "red"), f" {str(error).rstrip('. ')}; see --help")


app = App(
    name="ordre",
    version=__version__,
    help="Orders that keep their money rules and prove their history.",
    suppress_keyboard_interrupt=False,
    error_formatter=_formatted,
    error_console=console,
)
for noun in (accounts.app, clients.app, keys.app, orders.app):
    app.command(noun)
for command in (serve, migrate, backup, restore, verify, worker, erase, demo, openapi, conformance, settings):
    app.command(command)
app.command(completion_of(app))
app.register_install_completion_command()


def main() -> None:
    """Run the command; exit with 1 and a sentence where it is refused, with 130 where it is interrupted."""
    try:
        app()
    except Refused as refused:
        for refusal in refused.refusals:
            print_failure(refusal.message)
        sys.exit(1)
    except (StoreUnavailable, BadSetting, BadBackup) as error:
        print_failure(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        print_failure("interrupted")
        sys.exit(INTERRUPTED)
