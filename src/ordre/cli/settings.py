"""`ordre settings`."""

import os
from typing import Annotated

from cyclopts import Parameter

from ordre.cli.notices import print_warning
from ordre.cli.options import Flags, Json
from ordre.cli.output import print_rows
from ordre.settings import described, unknown_variables


def settings(flags: Annotated[Flags, Parameter(name="*")] | None = None, *, json: Json = False) -> None:
    """Print every setting as `ordre serve` would read it, with these flags, and where it comes from. Secrets are hidden."""
    for sentence in unknown_variables(os.environ):
        print_warning(sentence)
    print_rows(described(os.environ, (flags or Flags()).given()), json=json)
