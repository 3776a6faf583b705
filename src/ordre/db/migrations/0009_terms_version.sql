-- Under which version of the terms the orders and drafts of an account are found: whoever migrates reads those of an earlier one again,
-- see db/indexing.py. Code from before writes no terms of comments, so it cannot serve beside this.
-- compatible-with: 9

alter table accounts add column terms_version bigint not null default 0;
