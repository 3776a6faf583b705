"""What the commands that run until interrupted share: they speak in the log."""

import os
import sys
from typing import NoReturn

from ordre import logs
from ordre.cli.notices import print_failure
from ordre.settings import Settings, unknown_variables


def begin_log(settings: Settings) -> None:
    """Send everything to the log from now on, and warn there of variables that are no settings."""
    logs.configure(settings.log_level, settings.log_format)
    for sentence in unknown_variables(os.environ):
        logs.warning("unknown_setting", reason=sentence)


def fail(error: Exception, format_: str) -> NoReturn:
    """Say why the command cannot start, as the log would, and end it."""
    if logs.for_people(format_):
        print_failure(str(error))
    else:
        logs.configure("info", format_)
        logs.error("not_started", reason=str(error))
    sys.exit(1)
