-- Drafts are chained as orders are; answers that are kept have a hash; an account keeps how many facts, events of drafts and answers it
-- holds, and the sum of their hashes. Whoever migrates computes that of what is there. Code from before writes none of it, so it cannot
-- serve beside this.
-- compatible-with: 12

alter table drafts add column hash text not null default '';
alter table draft_events add column salt text not null default '';
alter table draft_events add column digest text not null default '';
alter table draft_events add column state text not null default '';
alter table draft_events add column hash text not null default '';
alter table idempotency add column hash text not null default '';

create table erased_drafts (
    account_id key_text not null references accounts,
    id key_text not null,
    events bigint not null,
    at bigint not null,
    actor text not null,
    sum text not null,
    before text not null,
    hash text not null,
    primary key (account_id, id)
);

create table tallies (
    account_id key_text not null,
    id key_text not null,
    kind text not null,
    count bigint not null,
    sum text not null,
    primary key (account_id, id)
)
--sqlite without rowid
;

--postgres alter table erased_drafts enable row level security;
--postgres alter table erased_drafts force row level security;
--postgres create policy accounts on erased_drafts using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres create policy kept on erased_drafts as restrictive for delete using (false);

--postgres alter table tallies enable row level security;
--postgres alter table tallies force row level security;
--postgres create policy accounts on tallies using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);
