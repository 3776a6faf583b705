-- An order whose net amount is 0 is paid (docs/decisions/0008). Lists filter by this column, a copy of what the facts come to.

--postgres select set_config('ordre.accounts', coalesce((select string_agg(account_id, ',') from accounts), ''), true);
update orders set payment_status = 'paid' where net_amount = 0 and payment_status <> 'paid';
