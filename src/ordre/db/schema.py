"""Migrations: the numbered SQL files, read for one engine."""

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Literal

Engine = Literal["sqlite", "postgres"]

HISTORY = """
create table if not exists schema_migrations (
    number bigint primary key,
    name text not null,
    digest text not null,
    applied_at bigint not null
)
"""

_KEY_TEXT: dict[Engine, str] = {"sqlite": "text", "postgres": 'text collate "C"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema. ``digest`` is of the file, so that a step that was changed afterwards is noticed."""

    number: int
    name: str
    digest: str
    statements: tuple[str, ...]


def migrations(engine: Engine) -> list[Migration]:
    """Return every migration, oldest first, in the words of the engine."""
    found = sorted(
        (entry for entry in files("ordre.db.migrations").iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name
    )
    return [_migration(entry.name, entry.read_text(encoding="utf-8"), engine) for entry in found]


def pending(applied: dict[int, str], engine: Engine) -> list[Migration]:
    """Return the migrations that a database with the applied ones (number -> digest) still needs.

    Raises:
        ValueError: An applied migration is unknown here or was changed since: the database is of another version of Ordre.
    """
    known = migrations(engine)
    digests = {migration.number: migration.digest for migration in known}
    for number, digest in applied.items():
        if digests.get(number) != digest:
            raise ValueError(f"the database holds migration {number} of another version of Ordre")
    return [migration for migration in known if migration.number not in applied]


def shortfall(applied: dict[int, str], engine: Engine) -> str | None:
    """Return in a sentence what a database with the applied migrations (number -> digest) lacks for this version, or None."""
    try:
        missing = pending(applied, engine)
    except ValueError as error:
        return str(error)
    if not applied:
        return "the database holds no schema of Ordre's yet: run `ordre migrate`"
    if not missing:
        return None
    names = {migration.number: migration.name for migration in migrations(engine)}
    return f"the schema is of version {names[max(applied)]} and lacks {missing[0].name}: run `ordre migrate`"


def _migration(name: str, text: str, engine: Engine) -> Migration:
    ours = re.sub(rf"^--{engine} ", "", text, flags=re.MULTILINE)
    ours = re.sub(r"--.*$", "", ours, flags=re.MULTILINE).replace("key_text", _KEY_TEXT[engine])
    statements = tuple(statement.strip() for statement in ours.split(";") if statement.strip())
    number = int(name.split("_", 1)[0])
    return Migration(
        number=number, name=name.removesuffix(".sql"), digest=sha256(text.encode()).hexdigest(), statements=statements
    )
