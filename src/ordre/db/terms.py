"""How terms are stored: each order and draft has its own as one text, and one row each leads from a term to the id.

A text holds entries between marks, so that ``strpos`` finds an exact term or the beginning of a word in it. What was recorded on
an order has texts of its own (``recorded_terms``): it comes and goes without the others being read. Ids are stored as bytes that
sort as the texts do.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from ordre.application.lists import Term

Statement = tuple[str, Sequence[object]]
"""SQL and its parameters."""

MARK, BETWEEN = "\x1e", "\x1d"
"""Around each entry, and between its kind and its term."""
OWN = ""
"""The part of an order's terms that it says of itself."""
_ENDS_WORD = "\x1f"
"""Between the word of a comment and the comment's id."""
_ROWS_AT_ONCE = 80
"""SQLite takes a hundred times as long to read a statement with three times as many values."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FLOOR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}")
_UUID_BYTES = 16
_OTHER = b"~"
"""Before an id that is no UUID; behind it, too, where it would have the length of one."""
_ESCAPED = str.maketrans({"\x1b": "\x1bb", MARK: "\x1be", BETWEEN: "\x1bd"})
_TO_ESCAPE = re.compile(f"[\x1b{MARK}{BETWEEN}]")
_ID_TEXT = """case when octet_length({0}) = 16 then encode({0}, 'hex')::uuid::text
    when encode(substr({0}, 1, 1), 'hex') = '7e' then trim(convert_from({0}, 'UTF8'), '~') else encode({0}, 'hex') end"""


def compact(id_: str) -> bytes:
    """Return an id, or the ``id_floor`` of an instant, as it is stored beside terms: the 16 bytes of a UUID."""
    if _UUID.fullmatch(id_) or _FLOOR.fullmatch(id_):
        return bytes.fromhex(id_.replace("-", ""))
    other = _OTHER + id_.encode()
    return other + _OTHER if len(other) == _UUID_BYTES else other


def id_text(column: str) -> str:
    """Return the SQL that makes the id of a stored one, on PostgreSQL; ``queries.for_sqlite`` knows it."""
    return _ID_TEXT.format(column)


def escaped(text: str) -> str:
    """Return a kind or a term as entries hold it. The beginning of a text is that of its escaped form."""
    return text.translate(_ESCAPED) if _TO_ESCAPE.search(text) else text


def beginning(kind: str, text: str) -> str:
    """Return the text that terms hold where one of this kind begins so."""
    return f"{MARK}{escaped(kind)}{BETWEEN}{escaped(text)}"


def exactly(kind: str, term: str) -> str:
    """Return the text that terms hold where this is one of them."""
    return beginning(kind, term) + MARK


def text_of(terms: Collection[Term]) -> str:
    """Return terms as one text; without any it is empty."""
    if not terms:
        return ""
    if _TO_ESCAPE.search("".join(chain.from_iterable(terms))):
        terms = [(escaped(kind), escaped(term)) for kind, term in terms]
    return f"{MARK}{MARK.join(sorted(f'{kind}{BETWEEN}{term}' for kind, term in terms))}{MARK}"


def entries_in(text: str) -> set[Term]:
    """Return the entries of a text, as rows that lead to the id hold them: (kind, term), escaped."""
    return {(kind, term) for kind, _, term in (one.partition(BETWEEN) for one in text.split(MARK)) if kind or term}


def part_of(terms: Iterable[Term]) -> str:
    """Return the part of its order's terms that those of one recorded fact are: what is recorded again is there already.

    The words of a comment end in its id.
    """
    found = dict(terms)
    if (payment := found.get("payment_id")) is not None:
        return f"payment {payment}"
    return f"comment {next(iter(found.values())).rpartition(_ENDS_WORD)[2]}"


def parts_of(recorded: Iterable[frozenset[Term]]) -> dict[str, frozenset[Term]]:
    """Return the parts that the terms of recorded facts make."""
    return {part_of(terms): terms for terms in recorded if terms}


def leading(table: str, account: str, rows: Iterable[tuple[str, str, bytes]]) -> Iterator[Statement]:
    """Yield the statements that let entries lead to ids: (kind, term, compact id)."""
    sql = f"insert into {table} (account_id, kind, term, id) select $1, column1, column2, column3 from (values {{}}) entries"
    yield from _of_rows(f"{sql} where true on conflict do nothing", account, rows)


def leading_no_more(table: str, account: str, rows: Iterable[tuple[str, str, bytes]]) -> Iterator[Statement]:
    """Yield the statements that take away that entries lead to ids: (kind, term, compact id)."""
    which = "(account_id = $1 and kind = {} and term = {} and id = {}::bytea)"  # SQLite looks each of them up by the whole key
    yield from _of_rows(f"delete from {table} where {{}}", account, rows, which, " or ")


def leads(table: str, account: str, rows: Iterable[tuple[str, str, bytes]]) -> Iterator[Statement]:
    """Yield the queries for how many of these entries lead to each id: (compact id, number)."""
    joined = f"cross join {table} n where n.account_id = $1 and n.kind = column1 and n.term = column2 and n.id = column3"
    yield from _of_rows(f"select n.id, count(*) from (values {{}}) entries {joined} group by n.id", account, rows)


def _of_rows(
    sql: str, account: str, rows: Iterable[tuple[str, str, bytes]], row: str = "({}, {}, {}::bytea)", between: str = ", "
) -> Iterator[Statement]:
    every = list(rows)
    for first in range(0, len(every), _ROWS_AT_ONCE):
        some = every[first : first + _ROWS_AT_ONCE]
        places = (row.format(f"${place}", f"${place + 1}", f"${place + 2}") for place in range(2, 2 + 3 * len(some), 3))
        yield sql.format(between.join(places)), (account, *chain.from_iterable(some))
