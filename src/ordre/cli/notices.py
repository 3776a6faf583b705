"""What commands tell people on standard error: failures, warnings and progress. A program reads standard output alone.

Nothing is wrapped or cut, and what people named [red] is printed as they named it. Most commands say nothing here, so what draws
on a terminal is loaded when there is something to say.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@cache
def console() -> "Console":
    """Return the standard error of this process."""
    from rich.console import Console  # noqa: PLC0415 - see above

    return Console(stderr=True, soft_wrap=True)


def progress(*, quiet: bool) -> "Progress":
    """Return a progress bar; one that shows nothing where it is to be ``quiet``, or where standard error is no terminal."""
    from rich.progress import Progress  # noqa: PLC0415 - see above

    return Progress(console=console(), disable=quiet or not console().is_terminal)


def print_failure(message: str) -> None:
    """Say why the command ends."""
    _say("red", message)


def print_warning(message: str) -> None:
    """Print a warning."""
    _say("yellow", message)


def _say(colour: str, message: str) -> None:
    from rich.text import Text  # noqa: PLC0415 - see above

    console().print(Text("ordre:", style=colour), Text(message))
