-- What lists filter by and search for, one row each: (kind, term) -> id, newest last. Whoever migrates fills them, see `index_terms`.

create table order_terms (
    account_id key_text not null,
    id key_text not null,
    kind key_text not null,
    term key_text not null,
    primary key (account_id, id, kind, term)
)
--sqlite without rowid
;
create index order_terms_by_term on order_terms (account_id, kind, term, id);

create table draft_terms (
    account_id key_text not null,
    id key_text not null,
    kind key_text not null,
    term key_text not null,
    primary key (account_id, id, kind, term)
)
--sqlite without rowid
;
create index draft_terms_by_term on draft_terms (account_id, kind, term, id);

drop table order_stores;
drop index orders_by_customer;
drop index orders_by_number;
alter table orders drop column customer_id;
alter table orders drop column order_number;
create index orders_by_amount on orders (account_id, net_amount, id);

alter table drafts add column net_amount bigint not null default 0;
create index drafts_by_amount on drafts (account_id, net_amount, id);

-- Orders and drafts written since an instant. Facts are only added, so this costs less than an index on what every write changes.
create index facts_by_time on facts (account_id, at, id);
create index draft_events_by_time on draft_events (account_id, at, id);
