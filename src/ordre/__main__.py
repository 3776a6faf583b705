"""`python -m ordre`, and the command `ordre`."""

import gc
import sys

_GARBAGE = 20_000
"""So many objects are loaded until the garbage collector looks at them: they stay, and looking often is a tenth of a start."""


def main() -> None:
    """Run the command. Ctrl-C while it is still being loaded ends it without a traceback, too."""
    gc.set_threshold(_GARBAGE)
    try:
        from ordre.cli.main import main as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
