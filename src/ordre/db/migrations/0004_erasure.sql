-- Whose answer a key keeps: it goes when the order or draft is erased. Rows of before name nobody, and go with any of their account.

alter table idempotency add column owner key_text;
create index idempotency_by_owner on idempotency (account_id, owner);

create index orders_by_expiry on orders (account_id, expires_at) where expires_at is not null;
alter table drafts add column expires_at bigint;
create index drafts_by_expiry on drafts (account_id, expires_at) where expires_at is not null;

-- Drafts are found by the order that they are to be added to, from now on: whoever migrates fills these again.
delete from draft_terms;
