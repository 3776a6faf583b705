-- Each order and draft has its terms as one text, and one row each leads from a term to its id, which is stored as bytes: before, two
-- keys held each term, with account, id and kind. What is there in order_terms and draft_terms is read beside it until whoever migrates
-- or tidies has written it anew, account by account: see db/indexing.py. Code from before reads no such row, so it cannot serve beside.
-- compatible-with: 14

alter table order_bodies add column terms text;
alter table drafts add column terms text;

create table recorded_terms (
    account_id key_text not null,
    id key_text not null,
    part key_text not null,
    terms text not null,
    primary key (account_id, id, part)
)
--sqlite without rowid
;

create table found_orders (
    account_id key_text not null,
    kind key_text not null,
    term key_text not null,
    id key_bytes not null,
    primary key (account_id, kind, term, id)
)
--sqlite without rowid
;

create table found_drafts (
    account_id key_text not null,
    kind key_text not null,
    term key_text not null,
    id key_bytes not null,
    primary key (account_id, kind, term, id)
)
--sqlite without rowid
;

--postgres alter table recorded_terms enable row level security;
--postgres alter table recorded_terms force row level security;
--postgres create policy accounts on recorded_terms using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table found_orders enable row level security;
--postgres alter table found_orders force row level security;
--postgres create policy accounts on found_orders using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table found_drafts enable row level security;
--postgres alter table found_drafts force row level security;
--postgres create policy accounts on found_drafts using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table order_bodies alter column terms set statistics 0;
--postgres alter table drafts alter column terms set statistics 0;
--postgres alter table recorded_terms alter column part set statistics 0;
--postgres alter table recorded_terms alter column terms set statistics 0;
--postgres alter table found_orders alter column kind set statistics 0;
--postgres alter table found_orders alter column term set statistics 0;
--postgres alter table found_drafts alter column kind set statistics 0;
--postgres alter table found_drafts alter column term set statistics 0;
