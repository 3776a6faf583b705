"""The promises of Ordre: what holds each, and the tests that attack it. `script/promises.py` makes docs/promises.md of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """``attacks`` are files of tests, or tests in them; ``missing`` says why nothing holds it yet."""

    id: str
    says: str
    mechanism: str = ""
    attacks: tuple[str, ...] = ()
    missing: str = ""

    @property
    def command(self) -> str:
        return f"script/test {' '.join(self.attacks)}"

    def attacked_by(self, test: str) -> bool:
        return any(test == one or test.startswith((f"{one}::", f"{one}[")) for one in self.attacks)


_RULES = ("tests/domain/test_many_orders.py", "tests/domain/test_order_machine.py")
_MACHINE = "tests/http/test_machine.py"
_RACES = "tests/http/test_races.py"

PROMISES = (
    Promise(
        id="M1",
        says="`0 <= s*refunded <= s*captured`, `0 <= s*cancelled`, `s*captured + s*cancelled <= s*authorized`, `s*(authorized - cancelled) <= s*net`, on every line",
        mechanism="`decide` refuses what does not fit what remains; `evolve` asserts it after every fact; the write is compared-and-set.",
        attacks=(*_RULES, "tests/domain/test_ledger.py", _MACHINE, _RACES),
    ),
    Promise(
        id="M2",
        says="an operation's amount is the sum of its items', an order's total that of its lines'",
        mechanism="Both are added up when shown; what a client sends is compared, and refused where it differs.",
        attacks=(*_RULES, "tests/domain/test_lines.py", _MACHINE, "tests/http/test_worked_examples.py"),
    ),
    Promise(
        id="M3",
        says="what remains, what is due and the payment status are pure functions of lines and operations",
        mechanism="They are computed from the sums per line at every reading; columns for lists are copies, and compared by `verify`.",
        attacks=("tests/domain/test_order_machine.py", "tests/domain/test_ledger.py", _MACHINE, "tests/db/test_verify.py"),
    ),
    Promise(
        id="M4",
        says="amounts are whole minor units; a share-out neither loses nor invents a unit",
        mechanism="Integers from the wire to the database; the largest remainder gets the last unit; a fraction of a unit is refused.",
        attacks=("tests/domain/test_money.py", "tests/domain/test_many_orders.py", "tests/http/test_bad_input.py"),
    ),
    Promise(
        id="M5",
        says="with `multiple_authorizations`, M1 also holds inside each authorization",
        mechanism="Sums are kept per authorization and line, and both are checked.",
        attacks=(*_RULES, _MACHINE, "tests/http/test_payments.py"),
    ),
    Promise(
        id="H1",
        says="folding an order's facts gives exactly the stored order, at every version",
        mechanism="The order is written in the statement of its facts, by the function that `verify` folds them with.",
        attacks=("tests/domain/test_order_machine.py", "tests/db/test_verify.py", "tests/http/test_past.py"),
    ),
    Promise(
        id="H2",
        says="every change is a fact, with actor, time and version, in the transaction of the change",
        mechanism="There is one way to change an order, `execute`, and it writes the fact and the order in one statement.",
        attacks=("tests/http/test_events.py", _RACES, "tests/db/test_store.py"),
    ),
    Promise(
        id="H3",
        says="changing, dropping or reordering a fact is found and named, and so is any row of any table that is changed, gone or new",
        mechanism="Each fact's hash covers a salted digest of its body and the hash before it; a signed root covers all orders. Drafts are chained too, accounts, clients and keys are bound by a log of administration, and each account counts what it holds.",
        attacks=(
            "tests/db/test_verify.py",
            "tests/db/test_tampers.py",
            "tests/test_audit.py",
            "tests/test_forgeries.py",
            "tests/test_witness.py",
            "tests/domain/test_chain.py",
            "tests/domain/test_merkle.py",
        ),
    ),
    Promise(
        id="H4",
        says="any version, and any point in time, can be read back",
        mechanism="It is folded from the facts up to there. The text of a comment that was deleted since is gone from it.",
        attacks=("tests/http/test_past.py",),
    ),
    Promise(
        id="C1",
        says="of concurrent writers on one order exactly those that fit together succeed, and nobody's write is lost",
        mechanism="A write is compared-and-set on the version; who loses is read and decided again, and after a few times takes the lock.",
        attacks=(_RACES, "tests/db/test_store.py", "tests/db/test_batch.py"),
    ),
    Promise(
        id="C2",
        says="one idempotency key, or one operation id, has one effect, also at once and after a crash",
        mechanism="Key and answer are a row of the same transaction, unique in the account; an operation's id is unique in its order.",
        attacks=(
            "tests/http/test_writes.py",
            _RACES,
            _MACHINE,
            "tests/test_crash.py",
            "tests/test_waiting.py",
            "tests/test_store_failure.py",
        ),
    ),
    Promise(
        id="C3",
        says="an answer of success means durable",
        mechanism="The answer is sent after the commit, with `synchronous=full` on SQLite and on PostgreSQL a `synchronous_commit` that each"
        " connection sees to; a file that was moved under the server is not written to.",
        attacks=("tests/test_crash.py", "tests/test_store_failure.py"),
    ),
    Promise(
        id="T1",
        says="no request of one account can read, change, count or detect anything of another",
        mechanism="The account is the first column of every key and in every statement; behind it stands PostgreSQL's row-level security.",
        attacks=(
            "tests/http/test_strangers.py",
            "tests/http/test_silence.py",
            "tests/db/test_row_security.py",
            "tests/test_tree.py",
        ),
    ),
    Promise(
        id="T2",
        says="a token does what its scopes say, on its account, until it expires or its client is disabled",
        mechanism="Signed with an Ed25519 key and nothing else; account, scope, expiry and client are checked at every request.",
        attacks=("tests/http/test_tokens.py", "tests/http/test_strangers.py", "tests/test_rates.py"),
    ),
    Promise(
        id="E1",
        says="after erasure no personal value of the order is in database, outbox or log, and H3 still verifies",
        mechanism="The bodies of facts are emptied, drafts, terms and kept answers dropped, in one transaction; the chain holds digests;"
        " PostgreSQL keeps no statistics of personal texts; a retry under a key that made it is refused."
        " The text of a deleted comment goes in the same way.",
        attacks=(
            "tests/test_erasure.py",
            "tests/http/test_erased_orders.py",
            "tests/domain/test_decide_erasure.py",
            "tests/test_deleted_comments.py",
            "tests/test_deliveries.py",
        ),
    ),
    Promise(
        id="R1",
        says="a restored backup is what was backed up, at one instant, or nothing is restored",
        mechanism="A backup reads one snapshot and ends with counts and signed roots; a restore is one transaction, kept only if counts, roots"
        " and every order prove to be the same in the database that it wrote.",
        attacks=(
            "tests/test_backup.py",
            "tests/test_backup_refused.py",
            "tests/test_backup_page.py",
            "tests/test_backup_memory.py",
        ),
    ),
    Promise(
        id="A1",
        says="no request without a token holds more than a bounded share of a worker",
        mechanism="Every text is read in one pass; heads, bodies, answers and connections have bounds in time and bytes (docs/operate.md);"
        " where there are too many connections, those that are not at work end.",
        attacks=("tests/test_connections.py", "tests/test_growth.py", "tests/test_hostile.py"),
    ),
    Promise(
        id="A2",
        says="an account that reads large pages on 16 connections leaves another's p99 within 3 times its quiet one, as an ordinary client sees it, also where all share two cores",
        mechanism="What is large is made in a thread beside the event loop, and gives way to what is small, as do the threads that read pages;"
        " one large read of an account runs at once in a process; pages end after 1 MiB; what an account's requests cost is limited.",
        attacks=("tests/test_fairness.py", "tests/test_rates.py"),
    ),
    Promise(
        id="A3",
        says="every answer says what happened: what was told not to be recorded never is, and where nobody can tell, that is said",
        mechanism="A change is withdrawn when its caller's time is over before it is begun; from then on he is told what became of it. Nobody"
        " waits long for a lock, and rows are locked in one order everywhere. An answer reaches also who still sends; one that cannot be"
        " whole ends before it is; a server that stops answers what it took.",
        attacks=(
            "tests/test_waiting.py",
            "tests/test_store_failure.py",
            "tests/db/test_locks.py",
            "tests/test_connections.py",
            "tests/http/test_edge.py",
            "tests/test_stopping.py",
        ),
    ),
    Promise(
        id="F1",
        says="the change feed of an account is complete, ordered, gap-free and re-readable",
        mechanism=(
            "Each change has its position from the statement that writes it, under a lock on the end of its account's feed that is held"
            " until the commit; entries are chained, and never changed or deleted. Webhooks are readers of it: a delivery is stored with its"
            " subscription's place in the feed, and sent again until what became of it is stored."
        ),
        attacks=("tests/test_following.py", "tests/http/test_feed.py", "tests/test_deliveries.py", "tests/db/test_tampers.py"),
    ),
    Promise(
        id="B1",
        says="bad input gets a 4xx with the error body, never a 5xx, never a partial write",
        mechanism="Bodies are decoded to types with limits before anything is done; every failure is answered in one place.",
        attacks=(
            "tests/test_schemathesis.py",
            "tests/http/test_bad_input.py",
            "tests/test_hostile.py",
            "tests/http/test_schema.py",
        ),
    ),
)

LARGEST = (
    "writers at once",
    "median of a neighbour beside a locked order, ms",
    "longest of a neighbour beside a locked order, ms",
    "median of a neighbour before, ms",
)
"""Figures of which a run has the largest; others add up."""
