"""The batch, the unit of I/O on both engines: what changes want is read at once, decided in memory, written at once.

Several changes of one order in a batch are decided one after another, each seeing the one before. Nothing here does I/O: an
engine reads into a ``Batch``, lets it ``run`` each change, writes its ``rows``, and tells which subjects lost their
compare-and-set. Whoever read a lost subject, refused or not, is run again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ordre.application.change import (
    Answered,
    Change,
    DraftWrite,
    EarlierFact,
    Emptied,
    HeldDraft,
    HeldOrder,
    Loaded,
    NewFact,
    OrderWrite,
    Outcome,
    Wanted,
)
from ordre.application.feed import draft_kind
from ordre.application.history import changed
from ordre.application.lists import Term, Terms
from ordre.application.views import FactRow, Subject
from ordre.db import codec, links
from ordre.db.tally import Kind, number_of
from ordre.db.terms import part_of, text_of
from ordre.domain.chain import START
from ordre.domain.order.facts import Erased
from ordre.domain.order.order import Order
from ordre.domain.refusals import Refused


@dataclass(slots=True)
class Ran:
    """A change that was run: its outcome or its refusal, and every subject that it saw.

    ``unheld``: it would write only its kept answer, which no version guards; it is to be run again under a lock.
    """

    change: Change
    saw: set[Subject]
    outcome: Outcome | None = None
    refused: Exception | None = None
    unheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An order to be erased: its names, the version that says so, who and when, and the drafts that were completed into it."""

    subject: Subject
    order_id: str
    version: int
    by: str
    at: int
    drafts: tuple[str, ...]


@dataclass(slots=True)
class Rows:
    """The rows that a batch writes, table by table. Every row of a subject is written only if the subject's head was."""

    heads: dict[Subject, tuple[int, HeldOrder]] = field(default_factory=dict)
    """subject -> (version that was read, 0 for a new order; the order)."""
    bodies: dict[Subject, tuple[str, str, str]] = field(default_factory=dict)
    """order -> its fields, its items, and the text of its own terms."""
    recorded: dict[Subject, dict[str, frozenset[Term]]] = field(default_factory=dict)
    """order -> what it is found under because of what was recorded on it, by its part of the order's terms."""
    recorded_gone: dict[Subject, dict[str, frozenset[Term]]] = field(default_factory=dict)
    """The same of what it is not found under any more."""
    draft_terms: dict[Subject, str] = field(default_factory=dict)
    """draft -> the text of its terms."""
    facts: list[tuple[Subject, FactRow]] = field(default_factory=list)
    drafts: dict[Subject, tuple[int, HeldDraft]] = field(default_factory=dict)
    draft_events: list[tuple[object, ...]] = field(default_factory=list)
    entries: list[tuple[links.Entry, str]] = field(default_factory=list)
    """What is added to the feeds, in this order; and the id of whose write it goes with."""
    answers: list[tuple[str, str, str, str, int, str | None, str, str | None]] = field(default_factory=list)
    """(account id, key, digest, answer, instant, id of the order or draft it is about, hash, id of whose write it goes with)."""
    tallies: dict[tuple[str, str | None, Kind], list[int]] = field(default_factory=dict)
    """(account id, id of whose write it goes with, kind) -> how many are added to what the account holds, sum of their hashes."""
    erasures: list[Erasure] = field(default_factory=list)
    """What is to go before anything is written."""
    together: list[set[Subject]] = field(default_factory=list)
    """Those subjects, several each, of which all are written or none, since one change wrote to them."""
    emptied: list[tuple[Subject, Emptied]] = field(default_factory=list)
    """Earlier facts whose text is to go, before those of this batch are there: a change that empties one runs alone."""


class Batch:
    """The state of one batch in memory. ``at`` is when its idempotency rows are made, in milliseconds.

    ``held`` says that nobody else writes to what it reads until it is written.
    """

    def __init__(self, at: int, terms: Terms, *, held: bool) -> None:
        self.at = at
        self._held = held
        self._terms = terms
        self.rows = Rows()
        self._orders: dict[Subject, HeldOrder] = {}
        self._names: dict[Subject, Subject] = {}
        self._earlier: dict[tuple[Subject, str], EarlierFact] = {}
        self._drafts: dict[Subject, HeldDraft] = {}
        self._named_by_draft: dict[Subject, str | None] = {}
        self._answered: dict[tuple[str, str], tuple[Answered, set[Subject]]] = {}

    def add(self, wanted: Wanted, read: Loaded) -> None:
        """Add what was read for a change, unless an earlier change of the batch already added it."""
        account = wanted.account_id
        name = wanted.order_name(None if read.draft is None else read.draft.draft)
        if wanted.of_draft and wanted.draft is not None:
            self._named_by_draft.setdefault((account, wanted.draft), name)
        if read.order is not None and name is not None:
            subject = (account, read.order.order.id)
            self._names.setdefault((account, name), subject)
            held = self._orders.setdefault(subject, read.order)
            if held.content is None and read.order.content is not None:
                self._orders[subject] = HeldOrder(order=held.order, hash=held.hash, content=read.order.content)
            for ref, fact in read.earlier.items():
                self._earlier.setdefault((subject, ref), fact)
        if read.draft is not None:
            self._drafts.setdefault((account, read.draft.draft.id), read.draft)
        if read.answered is not None and wanted.key is not None:
            self._answered.setdefault((account, wanted.key), (read.answered, set()))

    def run(self, change: Change) -> Ran:
        """Decide one change on what is in memory, and keep what it writes."""
        loaded, saw = self._loaded(change.wanted)
        ran = Ran(change, saw)
        try:
            outcome = change.decide(loaded)
        except Refused as refused:
            ran.refused = refused
            return ran
        except Exception as error:  # noqa: BLE001 - it is raised again, to its own caller alone
            ran.refused = error
            return ran
        ran.outcome = outcome
        self._keep(ran, outcome)
        return ran

    def _loaded(self, wanted: Wanted) -> tuple[Loaded, set[Subject]]:
        account, saw = wanted.account_id, set[Subject]()
        order = earlier = None
        named_by = (account, wanted.draft or "")
        name = self._named_by_draft.get(named_by) if wanted.of_draft else wanted.order
        if name is not None and (subject := self._names.get((account, name))) is not None:
            saw.add(subject)
            order = self._orders[subject]
            earlier = {ref: self._earlier[subject, ref] for ref in wanted.refs if (subject, ref) in self._earlier}
        draft = None if wanted.draft is None else self._drafts.get((account, wanted.draft))
        if draft is not None:
            saw.add((account, draft.draft.id))
        answered = None
        if wanted.key is not None and (account, wanted.key) in self._answered:
            answered, behind = self._answered[account, wanted.key]
            saw |= behind
        return Loaded(name=name, order=order, earlier=earlier or {}, draft=draft, answered=answered), saw

    def _keep(self, ran: Ran, outcome: Outcome) -> None:
        account, saw, key = ran.change.wanted.account_id, ran.saw, ran.change.wanted.key
        wrote = {(account, write.order.id) for write in outcome.orders}
        for write in outcome.orders:
            self._keep_written(account, write)
        if outcome.draft is not None:
            wrote.add((account, outcome.draft.draft.id))
            self._keep_draft((account, outcome.draft.draft.id), outcome.draft)
        saw |= wrote
        if len(wrote) > 1:
            self._keep_together(wrote)
        if outcome.answered is not None and key is not None:
            owner, behind = self._owner(saw, outcome), self._written(saw)
            if behind is None and owner is not None and not self._held:
                ran.unheld = True
                return
            row = outcome.answered
            self._answered[account, key] = (row, set(saw))
            kept = (account, key, row.digest, codec.text(row.answer), self.at, owner)
            hash_ = links.answer_hash(*kept)
            self.rows.answers.append((*kept, hash_, behind))
            self._count(account, behind, "answers", hash_)

    def _keep_written(self, account: str, write: OrderWrite) -> None:
        subject = (account, write.order.id)
        before = self._orders.get(subject)
        self._keep_order(account, write.before, write.order, write.facts)
        self._names.setdefault((account, write.order.order_id), subject)
        held = self._orders[subject]
        if write.content is not None:
            texts = codec.fields_text(write.content.fields), codec.items_text(write.content.items)
            self.rows.bodies[subject] = (*texts, text_of(self._terms.of_order(write.order, write.content)))
            self._orders[subject] = HeldOrder(order=held.order, hash=held.hash, content=write.content)
        if write.emptied is not None:
            self._empty(subject, write.emptied)
        if before is not None and isinstance(write.facts[-1].fact, Erased):
            order = write.order
            said = write.facts[-1]
            erasure = Erasure(
                subject=subject,
                order_id=order.order_id,
                version=order.version,
                by=said.by,
                at=said.at,
                drafts=before.order.drafts,
            )
            self.rows.erasures.append(erasure)

    def _keep_together(self, wrote: set[Subject]) -> None:
        apart = [one for one in self.rows.together if one.isdisjoint(wrote)]
        self.rows.together = [*apart, wrote.union(*(one for one in self.rows.together if one not in apart))]

    def _owner(self, saw: set[Subject], outcome: Outcome) -> str | None:
        """Return the draft that an answer is about, else the order."""
        drafts = [id_ for account, id_ in saw if (account, id_) in self._drafts]
        orders = [write.order.id for write in outcome.orders] or [id_ for _, id_ in saw]
        return next(iter(drafts or orders), None)

    def _written(self, saw: set[Subject]) -> str | None:
        """Return the subject, of those that a change saw, that this batch writes: what the change saw stands or falls with it."""
        return next((subject[1] for subject in saw if subject in self.rows.heads or subject in self.rows.drafts), None)

    def _keep_order(self, account: str, before: int, order: Order, facts: Iterable[NewFact]) -> None:
        subject = (account, order.id)
        held = self._orders.get(subject)
        hash_ = held.hash if held else START
        for new in facts:
            row = codec.fact_row(account, order.id, hash_, new)
            hash_ = row.hash
            self.rows.facts.append((subject, row))
            self._feed(subject, row.version, row.type, row.at, row.actor, row.hash)
            self._found_under(subject, self._terms.of_fact(new.fact, new.document))
            if new.fact.ref is not None:
                self._earlier[subject, new.fact.ref] = EarlierFact(fact=new.fact, document=new.document)
        after = HeldOrder(order=order, hash=hash_, content=held.content if held else None)
        first_read = self.rows.heads.get(subject, (before,))[0]
        self.rows.heads[subject] = (first_read, after)
        self._orders[subject] = after

    def _found_under(self, subject: Subject, terms: frozenset[Term]) -> None:
        """Keep the terms that a recorded fact adds to its order."""
        if terms:
            self.rows.recorded.setdefault(subject, {})[part_of(terms)] = terms

    def _empty(self, subject: Subject, emptied: Emptied) -> None:
        """Keep the rest of an earlier fact, and drop the terms that it added to its order."""
        earlier = self._earlier[subject, emptied.ref]
        gone = self._terms.of_fact(earlier.fact, emptied.before)
        self._earlier[subject, emptied.ref] = EarlierFact(fact=earlier.fact, document=emptied.document)
        self.rows.emptied.append((subject, emptied))
        if gone:
            self.rows.recorded.get(subject, {}).pop(part_of(gone), None)
            self.rows.recorded_gone.setdefault(subject, {})[part_of(gone)] = gone

    def _keep_draft(self, subject: Subject, write: DraftWrite) -> None:
        held, event = self._drafts.get(subject), write.event
        row = links.event_row(*subject, held.hash if held else START, event, codec.text(write.draft))
        after = replace(changed(held, write.draft, event), hash=row[-1])
        first_read = self.rows.drafts.get(subject, (write.before,))[0]
        self.rows.drafts[subject] = (first_read, after)
        self.rows.draft_terms[subject] = text_of(self._terms.of_draft(write.draft))
        self.rows.draft_events.append((*subject, *row))
        kind = draft_kind(write.draft.status, event.version)
        self._feed(subject, event.version, kind, event.at, event.by, row[-1])
        self._drafts[subject] = after

    def _feed(self, subject: Subject, version: int, kind: str, at: int, by: str, hash_: str) -> None:
        """Add what was written to the feed of its account."""
        self.rows.entries.append((links.entry(*subject, version, kind, at, by, hash_), subject[1]))

    def _count(self, account: str, subject: str | None, kind: Kind, hash_: str) -> None:
        counted = self.rows.tallies.setdefault((account, subject, kind), [0, 0])
        counted[0] += 1
        counted[1] += number_of(hash_)
