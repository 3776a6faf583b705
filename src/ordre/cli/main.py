"""The command `ordre`: all of its commands, and how it ends."""

import sys

from cyclopts import App

from ordre import __version__
from ordre.application.ports import StoreUnavailable
from ordre.cli import accounts, clients, keys
from ordre.cli.conformance import conformance
from ordre.cli.demo import demo
from ordre.cli.erase import erase
from ordre.cli.migrate import migrate
from ordre.cli.openapi import openapi
from ordre.cli.output import console
from ordre.cli.serve import serve
from ordre.cli.verify import verify
from ordre.cli.worker import worker
from ordre.domain.refusals import Refused
from ordre.settings import BadSetting

app = App(name="ordre", version=__version__, help="Orders that keep their money rules and prove their history.")
for command in (accounts.app, clients.app, keys.app, serve, migrate, verify, worker, erase, demo, openapi, conformance):
    app.command(command)


def main() -> None:
    """Run the command; end with 1 and one sentence where it is refused."""
    try:
        app()
    except Refused as refused:
        for refusal in refused.refusals:
            console.print(f"[red]ordre:[/] {refusal.message}", highlight=False)
        sys.exit(1)
    except (StoreUnavailable, BadSetting) as error:
        console.print(f"[red]ordre:[/] {error}", highlight=False)
        sys.exit(1)
