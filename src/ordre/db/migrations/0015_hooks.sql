-- Subscriptions to what happens in an account, and what became of each delivery. Of what is sent nothing is kept.
-- Code from before delivers nothing, and can serve beside this.
-- compatible-with: 14

alter table accounts add column hooks bigint not null default 0;

create table subscriptions (
    account_id key_text not null references accounts,
    id key_text not null,
    url text not null,
    events text not null,
    fields text,
    secret_type text,
    secret text,
    insecure bigint not null,
    active bigint not null,
    created_at bigint not null,
    created_by text not null,
    updated_at bigint not null,
    position bigint not null,
    revision bigint not null,
    failures bigint not null,
    suspended_at bigint,
    suspended_reason text,
    deleted_at bigint,
    deleted_by text,
    held_by text,
    held_until bigint,
    primary key (account_id, id)
);

create table deliveries (
    account_id key_text not null,
    subscription_id key_text not null,
    id key_text not null,
    event text not null,
    position bigint not null,
    subject key_text,
    version bigint,
    kind text,
    at bigint,
    actor text,
    hash text,
    state text not null,
    created_at bigint not null,
    due_at bigint,
    attempts bigint not null,
    log text not null,
    primary key (account_id, subscription_id, id),
    foreign key (account_id, subscription_id) references subscriptions
);
create index deliveries_due on deliveries (account_id, subscription_id, due_at) where due_at is not null;
create index deliveries_by_age on deliveries (account_id, created_at);

--postgres alter table subscriptions enable row level security;
--postgres alter table subscriptions force row level security;
--postgres create policy accounts on subscriptions using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);
--postgres create policy kept on subscriptions as restrictive for delete using (false);

--postgres alter table deliveries enable row level security;
--postgres alter table deliveries force row level security;
--postgres create policy accounts on deliveries using (strpos((select current_setting('ordre.accounts', true)), account_id) > 0);
