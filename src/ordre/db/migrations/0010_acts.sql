-- The log of administration: one row an act, chained, with a digest of the account, client, key or migration as it stands after the act.
-- Code from before writes accounts and clients without a word here, so it cannot serve beside this.
-- compatible-with: 10

create table acts (
    number bigint primary key,
    at bigint not null,
    actor text not null,
    act text not null,
    kind text not null,
    account text not null,
    subject text not null,
    detail text not null,
    digest text not null,
    hash text not null
);

-- Migrations from before they said what they are compatible with stand as they would if they were applied today.
update schema_migrations set compatible_with = number where compatible_with is null;
