-- PostgreSQL takes the account and the id of a fact for two conditions that have nothing to do with each other. Of many accounts it then
-- expects one fact of an order, however many there are, and may look at all of them for one. Told that there is one account, it expects
-- what is there on the whole.
-- compatible-with: 17

--postgres alter table facts alter column account_id set (n_distinct = 1);
--postgres analyze facts;
