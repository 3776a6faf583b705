"""Several statements in one transaction, each of which may depend on the results of those before it.

A script does no I/O: it yields a statement and is sent the rows that it returns. So either engine runs it.
"""

from collections.abc import Generator, Sequence
from typing import Any, TypeAlias, TypeVar

from ordre.db.terms import Statement

T = TypeVar("T")
Script: TypeAlias = Generator[Statement, Sequence[Sequence[Any]], T]
