-- `key_text` is text that compares by bytes; a line that starts with `--postgres` or `--sqlite` is for that engine alone.

create table accounts (
    account_id key_text primary key,
    name text not null,
    created_at bigint not null,
    disabled_at bigint,
    next_serial bigint not null default 1
);

create table clients (
    account_id key_text not null references accounts,
    client_id key_text not null,
    name text not null,
    scopes text not null,
    secret_digest text not null,
    created_at bigint not null,
    disabled_at bigint,
    primary key (account_id, client_id)
);

create table signing_keys (
    kid key_text primary key,
    jwk text not null,
    created_at bigint not null,
    retired_at bigint
);

create table orders (
    account_id key_text not null references accounts,
    id key_text not null,
    order_id key_text not null,
    order_number text,
    version bigint not null,
    status text not null,
    payment_status text not null,
    currency text not null,
    gross_amount bigint not null,
    net_amount bigint not null,
    customer_id text,
    created_at bigint not null,
    updated_at bigint not null,
    expires_at bigint,
    head text not null,
    hash text not null,
    primary key (account_id, id),
    unique (account_id, order_id)
)
--postgres with (fillfactor = 80)
;
create index orders_by_status on orders (account_id, status, id);
create index orders_by_payment_status on orders (account_id, payment_status, id);
create index orders_by_customer on orders (account_id, customer_id, id);

create table order_bodies (
    account_id key_text not null,
    id key_text not null,
    fields text not null,
    items text not null,
    primary key (account_id, id),
    foreign key (account_id, id) references orders
);

create table order_stores (
    account_id key_text not null,
    store_id key_text not null,
    id key_text not null,
    primary key (account_id, store_id, id),
    foreign key (account_id, id) references orders
);

create table facts (
    account_id key_text not null,
    id key_text not null,
    version bigint not null,
    type text not null,
    at bigint not null,
    actor text not null,
    ref key_text,
    data text not null,
    document text not null,
    event text not null,
    salt text not null,
    digest text not null,
    hash text not null,
    primary key (account_id, id, version),
    foreign key (account_id, id) references orders
);
create unique index facts_by_ref on facts (account_id, id, ref) where ref is not null;

create table drafts (
    account_id key_text not null references accounts,
    id key_text not null,
    version bigint not null,
    status text not null,
    created_at bigint not null,
    updated_at bigint not null,
    draft text not null,
    primary key (account_id, id)
);
create index drafts_by_status on drafts (account_id, status, id);

create table draft_events (
    account_id key_text not null,
    id key_text not null,
    version bigint not null,
    at bigint not null,
    actor text not null,
    event text not null,
    primary key (account_id, id, version),
    foreign key (account_id, id) references drafts
);

create table idempotency (
    account_id key_text not null,
    key key_text not null,
    digest text not null,
    answer text not null,
    created_at bigint not null,
    primary key (account_id, key)
);
create index idempotency_by_age on idempotency (created_at);
