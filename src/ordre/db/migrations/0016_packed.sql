-- Large facts are stored compressed: what `data` and `event` say stands in `packed`, `size` is how many bytes it has, and a mark is in
-- their place. What is there is packed afterwards, while servers run; `stored_form` says of an account under which form it is all stored.
-- Code from before cannot read it, so it cannot serve beside this.
-- compatible-with: 16

alter table facts add column packed key_bytes;
alter table facts add column size bigint;
alter table accounts add column stored_form bigint not null default 0;

--postgres alter table facts alter column packed set storage external;
--postgres alter table facts alter column packed set statistics 0;
