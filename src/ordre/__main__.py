"""`python -m ordre`, and the command `ordre`."""

import sys


def main() -> None:
    """Run the command. Ctrl-C while it is still being loaded ends it without a traceback, too."""
    try:
        from ordre.cli.main import main as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
