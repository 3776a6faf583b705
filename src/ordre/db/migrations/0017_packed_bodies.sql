-- Large bodies of orders are stored compressed, as large facts are: what `fields` and `items` say stands in `packed`. What is there is
-- packed afterwards, while servers run. Code from before cannot read it, so it cannot serve beside this.
-- compatible-with: 17

alter table order_bodies add column packed key_bytes;
alter table order_bodies add column size bigint;

--postgres alter table order_bodies alter column packed set storage external;
--postgres alter table order_bodies alter column packed set statistics 0;
