"""`python -m ordre`, and the command `ordre`."""

from ordre.cli.main import main

if __name__ == "__main__":
    main()
