-- What services report of an order, and which of its comments were deleted, stands with every page of its events: it is found without
-- a look at all of its facts. Few facts are in this index.
-- compatible-with: 17

create index facts_beside on facts (account_id, id, version) where type in ('comment_deleted', 'service_event');
