"""The table's rows: operations, parameters, headers and behaviour. `fields.py` has the fields and the values of enums.

The evidence is what public pages show of the original: *seen* there, *derived* from what is seen, *inferred* by analogy where
nothing public says, or none where a row is our own. `tests/test_compatibility.py` holds table and code to each other, both ways.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    EXTRA = "extra"


class Evidence(StrEnum):
    SEEN = "seen"
    DERIVED = "derived"
    INFERRED = "inferred"
    NONE = ""

    def counts_at(self, level: "Evidence") -> bool:
        """Whether a judgement at this level includes this evidence: each level includes the firmer ones, and Ordre's own."""
        order = list(Evidence)
        return self is Evidence.NONE or order.index(self) <= order.index(level)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``why`` says how it differs, or what to know."""

    name: str
    verdict: Verdict
    evidence: Evidence
    why: str = ""


S, D, X = Verdict.SAME, Verdict.DIFFERS, Verdict.EXTRA
SEEN, DERIVED, INFERRED, NONE = Evidence.SEEN, Evidence.DERIVED, Evidence.INFERRED, Evidence.NONE

OPERATIONS = (
    Row(
        "POST /auth/token",
        S,
        SEEN,
        "`client_credentials` alone; id and secret may stand in the body, which may be a form (extra)",
    ),
    Row("POST /shopping/draft_orders", S, SEEN, "only `order.currency` is required"),
    Row("GET /shopping/draft_orders", S, SEEN),
    Row("GET /shopping/draft_orders/{id}", S, SEEN),
    Row("PUT /shopping/draft_orders/{id}", S, INFERRED, "what is left out stays; null takes away; `items` replaces all items"),
    Row("DELETE /shopping/draft_orders/{id}", S, INFERRED, "answers the draft; deleting twice is deleting once"),
    Row("PUT /shopping/draft_orders/{id}/complete", S, SEEN),
    Row("POST /shopping/draft_orders/{id}/items", S, SEEN),
    Row("PUT /shopping/draft_orders/{id}/items/{line_id}", S, SEEN, "takes a whole item"),
    Row("DELETE /shopping/draft_orders/{id}/items/{line_id}", S, SEEN),
    Row("GET /shopping/orders", S, DERIVED),
    Row("GET /shopping/orders/export", X, NONE, "all orders that the list's filters find, as lines of JSON, CSV or Parquet"),
    Row("POST /shopping/orders", S, DERIVED),
    Row("GET /shopping/orders/{order_id}", S, DERIVED),
    Row("GET /shopping/orders/{order_id}/diff", X, NONE, "what changed between two versions"),
    Row("DELETE /shopping/orders/{order_id}", X, NONE, "erases the order; scope `admin:shopping`"),
    Row("PUT /shopping/orders/{order_id}", S, SEEN, "what is left out stays; null takes away; items by `line_id`"),
    Row("PUT /shopping/orders/{order_id}/items", X, INFERRED, "sets the `status` of items; its path in the original is unknown"),
    Row("POST /shopping/orders/{order_id}/open", S, SEEN),
    Row("POST /shopping/orders/{order_id}/close", S, DERIVED),
    Row("POST /shopping/orders/{order_id}/cancel", S, SEEN),
    Row("GET /shopping/orders/{order_id}/authorizations", S, SEEN, "everything, unless `limit` is given"),
    Row("POST /shopping/orders/{order_id}/authorizations", S, SEEN),
    Row("GET /shopping/orders/{order_id}/authorizations/{authorization_id}", S, DERIVED),
    Row("GET /shopping/orders/{order_id}/captures", S, SEEN, "everything, unless `limit` is given"),
    Row("POST /shopping/orders/{order_id}/captures", S, SEEN),
    Row("GET /shopping/orders/{order_id}/captures/{capture_id}", S, DERIVED),
    Row("GET /shopping/orders/{order_id}/refunds", S, SEEN, "everything, unless `limit` is given"),
    Row("POST /shopping/orders/{order_id}/refunds", S, SEEN),
    Row("GET /shopping/orders/{order_id}/refunds/{refund_id}", S, DERIVED),
    Row("GET /shopping/orders/{order_id}/cancellations", S, DERIVED, "everything, unless `limit` is given"),
    Row("POST /shopping/orders/{order_id}/cancellations", S, SEEN),
    Row("GET /shopping/orders/{order_id}/cancellations/{cancellation_id}", S, SEEN),
    Row("GET /shopping/orders/{order_id}/sessions", S, DERIVED),
    Row(
        "POST /shopping/orders/{order_id}/sessions",
        D,
        SEEN,
        "the session is recorded; no payment is started, so there is no `url`",
    ),
    Row("GET /shopping/orders/{order_id}/sessions/{session_id}", S, SEEN),
    Row("GET /shopping/orders/{order_id}/events", S, SEEN),
    Row("POST /shopping/orders/{order_id}/events", S, SEEN),
    Row("POST /shopping/orders/{order_id}/comments", S, INFERRED),
    Row(
        "DELETE /shopping/orders/{order_id}/comments/{comment_id}",
        S,
        INFERRED,
        "answers the comment, marked as deleted and without its `body`",
    ),
    Row("GET /shopping/stores/{store_id}/orders", S, SEEN, "by the order's own store and by those of its items"),
    Row("GET /shopping/stores/{store_id}/orders/{order_id}", S, SEEN),
    Row("GET /shopping/customers/{customer_id}/orders", S, DERIVED),
    Row("GET /shopping/customers/{customer_id}/orders/{order_id}", S, DERIVED),
    Row("GET /shopping/feed", X, NONE, "every change of the account, at positions without gaps"),
    Row("GET /hooks/subscriptions", S, SEEN, "a list in no envelope"),
    Row("POST /hooks/subscriptions", S, SEEN, "of the events of orders and drafts alone; a `ping` is sent"),
    Row("GET /hooks/subscriptions/{hid}", S, SEEN),
    Row("DELETE /hooks/subscriptions/{hid}", S, SEEN),
    Row("POST /hooks/subscriptions/{hid}/ping", S, SEEN, "204"),
    Row("GET /hooks/subscriptions/{hid}/deliveries", S, SEEN, "a list in no envelope; what was sent is not kept"),
    Row("GET /hooks/subscriptions/{hid}/deliveries/{delivery_id}", S, SEEN),
    Row("POST /hooks/subscriptions/{hid}/resume", X, NONE, "lets one go on that was suspended or not active"),
    Row("POST /hooks/subscriptions/{hid}/redeliver", X, NONE, "sends everything after a position of the feed again"),
    Row("POST /hooks/subscriptions/{hid}/deliveries/{delivery_id}/redeliver", X, NONE, "sends one delivery again"),
)

_ORDERS, _DRAFTS, _LISTS = "lists of orders", "lists of drafts", "lists of orders and drafts"
PARAMETERS: dict[str, tuple[Row, ...]] = {
    _LISTS: (
        Row("limit", S, DERIVED, "1 to 100, by default 10"),
        Row("starting_after", S, DERIVED, "the id of the last one seen; an unknown one is refused"),
        Row("total", S, DERIVED, "exact up to 10,000, `10000+` beyond"),
        Row("created_at.gte", S, SEEN),
        Row("created_at.lte", S, SEEN),
        Row("updated_at.gte", X, NONE),
        Row("updated_at.lte", X, NONE),
        Row("customer_id", X, NONE),
        Row("store_id", X, NONE),
        Row("order_number", X, NONE),
        Row("external_id", X, NONE),
        Row("currency", X, NONE),
        Row("net_amount.gte", X, NONE),
        Row("net_amount.lte", X, NONE),
        Row("metadata.<key>", X, NONE),
        Row("q", X, NONE, "words of numbers, ids, names, e-mail, phone, items, payments, bookings, comments, metadata"),
        Row("status", S, SEEN, "several values (extra)"),
    ),
    _ORDERS: (
        Row("payment_status", S, SEEN, "several values (extra)"),
        Row("include_events", S, SEEN, "of each order the latest 1,000 at most, and about 1 MiB"),
        Row("payment_id", X, NONE),
    ),
    "exports": (Row("format", X, NONE, "`ndjson`, `csv` or `parquet`"), Row("rows", X, NONE, "of a table: `orders` or `lines`")),
    "orders, reading and writing": (
        Row(
            "include_events",
            S,
            SEEN,
            "absent or `false`: no events and no `state`; else the latest 1,000 at most, and about 1 MiB",
        ),
    ),
    "an order": (
        Row("version", X, NONE, "the order as it was"),
        Row("at", X, NONE, "the order as it was"),
    ),
    "two versions of an order": (Row("from", X, NONE), Row("to", X, NONE)),
    "what an order holds": (
        Row("limit", S, DERIVED, "left out: everything"),
        Row("starting_after", S, DERIVED),
        Row("total", S, DERIVED),
    ),
    "an order's events": (Row("include_events", X, NONE),),
    "the feed": (
        Row("after", X, NONE, "the position that was read last"),
        Row("limit", X, NONE, "1 to 1,000, by default 100"),
        Row("wait", X, NONE, "seconds to wait for an entry, 30 at most"),
        Row("kind", X, NONE, "one or several"),
        Row("store_id", X, NONE),
        Row("include", X, NONE, "`document` or `order`"),
    ),
    "subscriptions": (Row("include_deleted", S, SEEN),),
    "subscriptions and deliveries": (
        Row("limit", S, SEEN, "1 to 100, by default 10"),
        Row("starting_after", S, SEEN, "the id of the last one seen; an unknown one is refused"),
        Row("total", S, SEEN),
    ),
}

REQUEST_HEADERS = (
    Row("Accept", X, NONE, "`text/event-stream`, for the feed"),
    Row("Accept-Encoding", X, NONE, "`gzip`, for the document and its page"),
    Row("Authorization", S, SEEN, "`Bearer`; at the token endpoint `Basic`"),
    Row("Content-Type", S, SEEN, "`application/json`"),
    Row("Dintero-*", S, DERIVED, "accepted and ignored, as by a sibling API"),
    Row("Idempotency-Key", X, NONE, "on every write; the original's pages do not name it"),
    Row("If-Match", X, NONE, "on every write to an order or draft"),
    Row("Last-Event-Id", X, NONE, "for the feed as a stream of events: goes on after this position"),
    Row("Prefer", X, NONE, "`handling=strict` on writes: what is ignored otherwise is refused"),
    Row("If-None-Match", X, NONE, "304 while the version is the same"),
)
RESPONSE_HEADERS = (
    Row("access-control-allow-origin", S, SEEN),
    Row("access-control-allow-methods", S, SEEN),
    Row("access-control-allow-headers", D, SEEN, "has `Idempotency-Key`, `If-Match` and `Prefer` too"),
    Row("access-control-expose-headers", X, NONE),
    Row("etag", D, SEEN, "strong, and the version: of one order, draft or operation"),
    Row("total-count", S, DERIVED),
    Row("page-count", D, SEEN, "allowed by CORS as in the original, never sent"),
    Row("link", X, NONE, '`rel="next"` while there is more'),
    Row("content-disposition", X, NONE, "names the file of an export"),
    Row("transfer-encoding", X, NONE, "of an export, whose length nobody knows when it begins"),
    Row("retry-after", S, SEEN, "on 429 as in the original; on 503 too"),
    Row("ratelimit", X, NONE, "what is left of the account's budget"),
    Row("ratelimit-policy", X, NONE, "how large that is, and for how long"),
    Row("idempotency-replayed", X, NONE),
    Row("preference-applied", X, NONE, "`handling=strict`"),
    Row("x-ordre-ignored", X, NONE, "on test accounts: the paths of what was ignored"),
    Row("www-authenticate", X, NONE, "on 401"),
    Row("allow", X, NONE, "on 405"),
    Row("cache-control", X, NONE, "a token is not to be stored on the way"),
    Row("x-request-id", X, NONE),
    Row("x-content-type-options", X, NONE),
)

BEHAVIOUR = (
    Row("status of what is done", S, DERIVED, "200 for everything, with the object"),
    Row("error body", S, SEEN, "`error.code` is the upper-case reason phrase; `errors[]` is filled (extra)"),
    Row("over-capture and over-refund", S, INFERRED, "400, naming the `line_id`; lower bounds too"),
    Row("amounts", X, NONE, "checked, not believed: [concepts](concepts.md#lines)"),
    Row("what remains", S, INFERRED, "[concepts](concepts.md#operations)"),
    Row(
        "related_item",
        D,
        INFERRED,
        "names a line of the order or request; reversals take no more than the line: [concepts](concepts.md#lines)",
    ),
    Row("a voided authorization", D, INFERRED, "gives its room back: the line may be authorized again"),
    Row("a cancelled order", D, INFERRED, "owes nothing: nothing remains to be authorized or captured, and no amount is due"),
    Row("an operation's own amount", X, NONE, "where sent, it is the sum of the items, else it is refused; so is a session's"),
    Row(
        "authorization_id without multiple_authorizations",
        D,
        SEEN,
        "answered as it was sent, and read by no rule; the original shows it only with `multiple_authorizations`",
    ),
    Row("payment_status", S, INFERRED, "the edge cases are ours: [concepts](concepts.md#statuses)"),
    Row(
        "state",
        S,
        SEEN,
        "failure if any event says error or failure; pending if none is or a latest says so; else success",
    ),
    Row("failed operations", S, INFERRED, "`success: false` is stored and shown, and moves nothing"),
    Row("multiple_authorizations", S, SEEN, "captures, refunds and cancellations then name their authorization"),
    Row("reversed lines", S, SEEN, "amounts of other sign on new lines; captures of them lower the sums"),
    Row("order_id", S, SEEN, "custom, generated (`ALPHANUMERIC_9`), else the `id`; paths take either"),
    Row(
        "ids in paths",
        S,
        INFERRED,
        "quoted, so that an `order_id` or the id of an operation may hold a slash (`%2F`); `.` and `..` are no ids, since many"
        " clients take them out of a path",
    ),
    Row("links", S, INFERRED, "to the drafts of the order, the latest ten of them on operations, sessions and events"),
    Row("append and replace", S, SEEN, "`options.order_id`; `replace` only while nothing is recorded"),
    Row("split_draft", D, INFERRED, "off unless it is asked for; the original seems to have it on"),
    Row("completing twice", X, NONE, "answers the same orders; 400 would be inferred"),
    Row("open, close, cancel", S, DERIVED, "opening an open order answers it; a cancelled one stays cancelled"),
    Row("a repeated operation id", D, INFERRED, "the same content is answered again; other content is refused with 409, not 400"),
    Row(
        "time_to_live",
        S,
        SEEN,
        "shown as `time_to_live_expires_at`; then order and drafts are [erased](operate.md#erasing)",
    ),
    Row(
        "an erased order",
        D,
        SEEN,
        "keeps `id`, `deleted_by` and `version` too; it is read, but not listed",
    ),
    Row("a session's amounts", X, NONE, "left out, they are what remains to be authorized"),
    Row("discounts of an order", X, NONE, "the original's own engine fills them; here a client may, since nothing else does"),
    Row("read-only fields", S, DERIVED, "ignored when sent, but an `amount` of an operation or session, which is checked"),
    Row(
        "unknown fields",
        S,
        INFERRED,
        "ignored, but inside `metadata`; [named on test accounts, refused on request](api.md#unknown-and-read-only-fields)",
    ),
    Row("unknown query parameters", D, INFERRED, "refused, so that a misspelt filter does not list everything"),
    Row("numbers that are no amounts", S, INFERRED, "answered digit by digit as they were sent (`2.50` stays `2.50`)"),
    Row("whole numbers", S, INFERRED, "amounts, line ids and the like may be written with a point: `39800.0` is 39800"),
    Row("payout trees, conversions", S, INFERRED, "kept and answered, payouts in any shape; nothing is computed"),
    Row(
        "currencies and countries",
        X,
        NONE,
        "those of ISO 4217 in use, in capitals, and of ISO 3166, in capitals or not; any other is refused",
    ),
    Row("words without a published list", D, DERIVED, "any word is kept, such as a `discount_type`; a sibling API lists some"),
    Row("phone numbers", D, DERIVED, "also with spaces, dashes and brackets, kept as they were sent; the sibling API has E.164"),
    Row(
        "line_id", D, SEEN, "its text is taken where it is a number, and the number where it is text; answered as in the original"
    ),
    Row("tax_lines", D, DERIVED, "may be left out, and a line may have a percentage alone"),
    Row(
        "webhooks",
        S,
        SEEN,
        "events, headers, signatures and five attempts as in the original, a 400 ends them; no redirect is followed:"
        " [webhooks](webhooks.md)",
    ),
    Row("what webhooks say", S, INFERRED, "the order, the draft or the event under `order`, `draft_order` or `order_event`"),
    Row("feed of webhooks", X, NONE, "what happened, and the order's version, by which a gap is seen"),
    Row("signatures of Standard Webhooks", X, NONE, "beside the original's, with the same secret"),
    Row("secrets of webhooks", D, INFERRED, "never answered"),
    Row("fields of a subscription", S, INFERRED, "mask the order, draft or event; what every body has is always sent"),
    Row("an order without a draft", D, INFERRED, "sends `shopping_order_update` of version 1: no event is seen for it"),
    Row("a receiver that fails", D, SEEN, "suspends its subscription, which is kept and can be resumed; the original deletes it"),
    Row("callback_url of a session", D, INFERRED, "kept in the event, and not called: that is for whoever takes the payment"),
)

EXTRA_PARAMETERS = tuple(row.name for group in (_LISTS, _ORDERS) for row in PARAMETERS[group] if row.verdict is X)


def rows() -> list[Row]:
    """Return every row that a check can be about."""
    return [
        *OPERATIONS,
        *(row for group in PARAMETERS.values() for row in group),
        *REQUEST_HEADERS,
        *RESPONSE_HEADERS,
        *BEHAVIOUR,
    ]
