-- The feed: every change that an account committed, at positions 1, 2, 3 ... without a gap, each chained to the one before; `feeds` has the
-- end of each. Whoever migrates gives what is there its positions. It takes the place of the tallies of facts and of events of drafts.
-- Code from before writes none of it, so it cannot serve beside this.
-- compatible-with: 13

create table feeds (
    account_id key_text primary key references accounts,
    position bigint not null,
    hash text not null
)
--postgres with (fillfactor = 20)
;

create table feed (
    account_id key_text not null,
    position bigint not null,
    id key_text not null,
    version bigint not null,
    kind text not null,
    at bigint not null,
    actor text not null,
    hash text not null,
    primary key (account_id, position)
)
--sqlite without rowid
;

alter table erased_drafts add column hashes text not null default '';

--postgres alter table feeds enable row level security;
--postgres alter table feeds force row level security;
--postgres create policy accounts on feeds using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);
--postgres create policy kept on feeds as restrictive for delete using (false);

--postgres alter table feed enable row level security;
--postgres alter table feed force row level security;
--postgres create policy accounts on feed using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);
--postgres create policy kept on feed as restrictive for delete using (false);
