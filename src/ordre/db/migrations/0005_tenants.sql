-- The second wall: on PostgreSQL a statement sees the rows of the accounts that it names for its transaction, and of no other.

drop index idempotency_by_age;
create index idempotency_by_age on idempotency (account_id, created_at);

--postgres alter table clients enable row level security;
--postgres alter table clients force row level security;
--postgres create policy accounts on clients using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table orders enable row level security;
--postgres alter table orders force row level security;
--postgres create policy accounts on orders using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table order_bodies enable row level security;
--postgres alter table order_bodies force row level security;
--postgres create policy accounts on order_bodies using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table order_terms enable row level security;
--postgres alter table order_terms force row level security;
--postgres create policy accounts on order_terms using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table facts enable row level security;
--postgres alter table facts force row level security;
--postgres create policy accounts on facts using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table drafts enable row level security;
--postgres alter table drafts force row level security;
--postgres create policy accounts on drafts using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table draft_events enable row level security;
--postgres alter table draft_events force row level security;
--postgres create policy accounts on draft_events using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table draft_terms enable row level security;
--postgres alter table draft_terms force row level security;
--postgres create policy accounts on draft_terms using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);

--postgres alter table idempotency enable row level security;
--postgres alter table idempotency force row level security;
--postgres create policy accounts on idempotency using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);
