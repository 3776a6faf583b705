"""The command `ordre`: all of its commands, and how it ends."""

import sys

from cyclopts import App, CycloptsError

from ordre import __version__
from ordre.cli.completion import completion_of
from ordre.cli.notices import print_failure

COMMANDS = {
    "account": "ordre.cli.accounts:app",
    "client": "ordre.cli.clients:app",
    "key": "ordre.cli.keys:app",
    "order": "ordre.cli.orders:app",
    "serve": "ordre.cli.serve:serve",
    "migrate": "ordre.cli.migrate:migrate",
    "backup": "ordre.cli.backup:backup",
    "restore": "ordre.cli.backup:restore",
    "verify": "ordre.cli.verify:verify",
    "witness": "ordre.cli.witness:witness",
    "log": "ordre.cli.log:log",
    "worker": "ordre.cli.worker:worker",
    "erase": "ordre.cli.erase:erase",
    "demo": "ordre.cli.demo:demo",
    "openapi": "ordre.cli.openapi:openapi",
    "conformance": "ordre.cli.conformance:conformance",
    "settings": "ordre.cli.settings:settings",
}
"""Command -> where it is. A module is loaded when its command is run, or described."""
USAGE = 2
"""The exit code of a command line that makes no sense, as shells have it."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""

app = App(
    name="ordre",
    version=__version__,
    version_format="plaintext",
    help="Orders that keep their money rules and prove their history.",
    suppress_keyboard_interrupt=False,
    print_error=False,
    exit_on_error=False,
)
for name, path in COMMANDS.items():
    app.command(path, name=name)
app.command(completion_of(app))
app.register_install_completion_command()


def main() -> None:
    """Run the command; exit with 1 and a sentence where it is refused, with 130 where it is interrupted."""
    arguments = sys.argv[1:]
    try:
        if set(app.parse_commands(arguments)[0]) <= set(app.help_flags):
            app.resolved_commands()  # all are listed, and what is said of each is in its module
        app(arguments)
    except CycloptsError as error:
        print_failure(f"{str(error).rstrip('. ')}; see --help")
        sys.exit(USAGE)
    except KeyboardInterrupt:
        print_failure("interrupted")
        sys.exit(INTERRUPTED)
    except Exception as error:
        from ordre.cli.failures import sentences_of  # noqa: PLC0415 - knows the parts that fail, so loads them

        sentences = sentences_of(error)
        if not sentences:
            raise
        for sentence in sentences:
            print_failure(sentence)
        sys.exit(1)
