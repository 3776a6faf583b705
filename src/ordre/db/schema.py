"""Migrations: the numbered SQL files, read for one engine."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

Engine = Literal["sqlite", "postgres"]

_FOLDER = Path(__file__).with_name("migrations")

HISTORY = """
create table if not exists schema_migrations (
    number bigint primary key,
    name text not null,
    digest text not null,
    applied_at bigint not null
)
"""

APPLIED = "select * from schema_migrations order by number"
"""Rows for ``applied_from``: a schema from before the column ``compatible_with`` is read, too."""
ADD_APPLIED = """
insert into schema_migrations (number, name, digest, applied_at, compatible_with) values ($1, $2, $3, $4, $5)
"""
"""Records a step, once every step has run: an early one may lack the column."""
_COMPATIBLE = re.compile(r"^-- compatible-with: (\d+)$", flags=re.MULTILINE)
_KEY_TEXT: dict[Engine, str] = {"sqlite": "text", "postgres": 'text collate "C"'}
_BYTES: dict[Engine, str] = {"sqlite": "blob", "postgres": "bytea"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema. ``digest`` is of the file, so that a step that was changed afterwards is noticed.

    Code whose newest migration is ``compatible_with`` or later can serve a schema with this step in it.
    """

    number: int
    name: str
    digest: str
    compatible_with: int
    statements: tuple[str, ...]

    def row(self, at: int) -> tuple[object, ...]:
        """Return the row that records it as applied at an instant, in milliseconds."""
        return (self.number, self.name, self.digest, at, self.compatible_with)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A step that a database has had, perhaps one of a newer version of Ordre."""

    number: int
    name: str
    digest: str
    compatible_with: int


def applied_from(rows: Iterable[Any]) -> list[Applied]:
    """Return the steps of rows of ``APPLIED``. A row that says nothing else is compatible with nothing before itself."""

    def compatible_with(number: int, _name: str, _digest: str, _at: int, compatible: int | None = None) -> int:
        return number if compatible is None else compatible

    return [Applied(number=row[0], name=row[1], digest=row[2], compatible_with=compatible_with(*row)) for row in rows]


@cache
def migrations(engine: Engine) -> list[Migration]:
    """Return every migration, oldest first, in the words of the engine."""
    found = sorted(_FOLDER.glob("*.sql"))
    return [_migration(path.name, path.read_text(encoding="utf-8"), engine) for path in found]


def pending(applied: Sequence[Applied], engine: Engine) -> list[Migration]:
    """Return the migrations that a database with the applied ones still needs. Newer ones are fine where they say so.

    Raises:
        ValueError: The database is of another version of Ordre, and this one cannot serve it.
    """
    known = {migration.number: migration for migration in migrations(engine)}
    newest = max(known)
    for one in applied:
        if one.number > newest:
            if one.compatible_with > newest:
                raise ValueError(
                    f"the database was migrated by a newer version of Ordre ({one.name}) and this version cannot serve it any"
                    " more: run the newer version, or restore a backup that was made before"
                )
        elif one.number not in known or known[one.number].digest != one.digest:
            raise ValueError(f"the database holds migration {one.number} of another version of Ordre: run that version")
    return [migration for number, migration in known.items() if number not in {one.number for one in applied}]


def shortfall(applied: Sequence[Applied], engine: Engine) -> str | None:
    """Return in a sentence what a database with the applied migrations lacks for this version, or None."""
    try:
        missing = pending(applied, engine)
    except ValueError as error:
        return str(error)
    if not applied:
        return "the database holds no schema of Ordre's yet: run `ordre migrate`"
    if not missing:
        return None
    return f"the schema is of version {applied[-1].name} and lacks {missing[0].name}: run `ordre migrate`"


def _migration(name: str, text: str, engine: Engine) -> Migration:
    ours = re.sub(rf"^--{engine} ", "", text, flags=re.MULTILINE)
    ours = (
        re.sub(r"--.*$", "", ours, flags=re.MULTILINE).replace("key_text", _KEY_TEXT[engine]).replace("key_bytes", _BYTES[engine])
    )
    statements = tuple(statement.strip() for statement in ours.split(";") if statement.strip())
    number, compatible = int(name.split("_", 1)[0]), _COMPATIBLE.search(text)
    return Migration(
        number=number,
        name=name.removesuffix(".sql"),
        digest=sha256(text.encode()).hexdigest(),
        compatible_with=int(compatible[1]) if compatible else number,
        statements=statements,
    )
