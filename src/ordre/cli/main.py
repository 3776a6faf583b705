"""The command `ordre`: all of its commands, and how it ends."""

import errno
import os
import re
import select
import sys

from cyclopts import App, CycloptsError, MissingArgumentError

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
    "export": "ordre.cli.export:export",
    "import": "ordre.cli.imports:import_orders",
    "verify": "ordre.cli.verify:verify",
    "witness": "ordre.cli.witness:witness",
    "log": "ordre.cli.log:log",
    "worker": "ordre.cli.worker:worker",
    "webhooks": "ordre.cli.webhooks:app",
    "erase": "ordre.cli.erase:erase",
    "demo": "ordre.cli.demo:demo",
    "bench": "ordre.cli.bench:bench",
    "openapi": "ordre.cli.openapi:openapi",
    "conformance": "ordre.cli.conformance:conformance",
    "settings": "ordre.cli.settings:settings",
}
"""Command -> where it is. A module is loaded when its command is run, or described."""
USAGE = 2
"""The exit code of a command line that makes no sense, as shells have it."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""

NOBODY_READS = 141
"""The exit code of a command that printed to a pipe whose reader has gone, as shells have it."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_CUT_LIST = re.compile(r" Available commands: .*, \.\.\.$")

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
    """Run the command; exit with 1 and a sentence where it is refused, with 130 where it is interrupted.

    Where nobody reads any more what it prints, it ends without a word, as other commands do; where that cannot be written, it
    says why.
    """
    try:
        try:
            _run()
        finally:
            if sys.stdout is not None:  # it is, where standard output was closed before the start
                sys.stdout.flush()
    except OSError as error:
        code = _code_of_unprinted(error)
        if code is None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere when Python ends
        sys.exit(code)


def _code_of_unprinted(error: OSError) -> int | None:
    """Return the exit code for a failed write to standard output; None for any other failure."""
    if isinstance(error, BrokenPipeError):
        return NOBODY_READS if _nobody_reads() else None
    if error.filename is None and error.errno in _FULL:  # whoever writes files sees to those himself
        print_failure(f"cannot write to standard output: {error.strerror}")
        return 1
    return None


def _nobody_reads() -> bool:
    """Whether standard output is a pipe whose reader has gone. A broken connection to a server raises the same error."""
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)
    return bool(asked.poll(0))


def _run() -> None:
    arguments = sys.argv[1:]
    try:
        if set(app.parse_commands(arguments)[0]) <= set(app.help_flags):
            app.resolved_commands()  # all are listed, and what is said of each is in its module
        app(arguments)
    except CycloptsError as error:
        print_failure(f"{_said(error).rstrip('. ')}; see --help")
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


def _said(error: CycloptsError) -> str:
    """Return the fault of a command line, without a shortened list of commands: --help has the whole one."""
    if isinstance(error, MissingArgumentError) and error.argument and not (error.keyword or error.argument.tokens):
        return f"`{' '.join(('ordre', *(error.command_chain or ())))}` needs {error.argument.name}"
    return _CUT_LIST.sub("", str(error))
