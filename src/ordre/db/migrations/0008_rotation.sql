-- A client's earlier secret works until an instant, in milliseconds; the day (UTC) on which a client was last given a token.
-- Code of before goes on with the secret of now alone.
-- compatible-with: 7

alter table clients add column earlier_digest text;
alter table clients add column earlier_until bigint;
alter table clients add column last_used_on text;
