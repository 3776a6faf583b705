"""An account of many orders, filled in by SQL, and what its lists are asked for."""

from typing import Any

from ordre.application.lists import Beginning

COUNT = 20_000
ACCOUNT = "T00000001"
_MANY = "with recursive many(n) as (select 1 union all select n + 1 from many where n < 20000)"
BODY = f'{{"comment":"{"x" * 1000}"}}'
"""As large as those of real orders: a planner may well read a small table from one end to the other."""
TERMS = (
    ("'currency'", "'NOK'"),
    ("'customer_id'", "'C' || (net_amount % 1000)"),
    ("'external_id'", "'E' || net_amount"),
    ("'metadata.channel'", "case when net_amount % 3 = 0 then 'pos' else 'web' end"),
    ("'word'", "'rare' || net_amount"),
    ("'word'", "'common'"),
)
TEXT = " || ".join(["chr(30)", *(f"{kind} || chr(29) || {term} || chr(30)" for kind, term in TERMS)])
FILL = [
    f"insert into accounts (account_id, name, created_at, terms_version) values ('{ACCOUNT}', 'Plans', 0, 1000)",
    f"""insert into orders (account_id, id, order_id, version, status, payment_status, currency, gross_amount, net_amount,
        created_at, updated_at, head, hash) {_MANY}
        select '{ACCOUNT}', 'i' || (100000 + n), 'o' || n, 1, case when n % 100 = 0 then 'closed' else 'open' end,
        case when n % 50 = 0 then 'paid' else 'pending' end, 'NOK', n, n, n, n, '{{}}', 'x' from many""",
    f"""insert into drafts (account_id, id, version, status, created_at, updated_at, net_amount, draft) {_MANY}
        select '{ACCOUNT}', 'i' || (100000 + n), 1, case when n % 100 = 0 then 'deleted' else 'open' end, n, n, n, '{{}}'
        from many""",
    f"insert into order_bodies (account_id, id, fields, items, terms) select account_id, id, '{BODY}', '[]', {TEXT} from orders",
    f"""insert into recorded_terms (account_id, id, part, terms)
        select account_id, id, 'payment P', {TEXT.replace("rare", "p")} from orders""",
    f"update drafts set terms = {TEXT}",
    """insert into facts (account_id, id, version, type, at, actor, data, document, event, salt, digest, hash)
        select account_id, id, 1, 'placed', updated_at, 'x', '{}', '', '{}', 'x', 'x', 'x' from orders""",
    """insert into facts (account_id, id, version, type, at, actor, data, document, event, salt, digest, hash)
        select account_id, id, 2, 'service_event', updated_at, 'x', '{}', '{}', '{}', 'x', 'x', 'x' from orders
        where net_amount % 1000 = 8""",
    """insert into draft_events (account_id, id, version, at, actor, event)
        select account_id, id, 1, updated_at, 'x', '{}' from drafts""",
    *(
        f"insert into found_{table} (account_id, kind, term, id)"
        f" select account_id, {kind}, {term}, textsend('~' || id /* as blob */) from {table}"
        for table in ("orders", "drafts")
        for kind, term in TERMS
    ),
]


def words(*texts: str) -> dict[str, Any]:
    """What a list is asked for that is to hold words beginning so."""
    return {"words": tuple((Beginning(("word", "payment"), text),) for text in texts)}


def term(kind: str, *values: str) -> dict[str, Any]:
    """What a list is asked for that is to have one of these terms."""
    return {"terms": ((kind, values),)}
