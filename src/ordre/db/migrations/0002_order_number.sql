-- People look orders up by the number on a receipt.

create index orders_by_number on orders (account_id, order_number, id);
