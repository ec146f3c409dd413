-- With a type modifier of -1 format_type writes bpchar for character, whose cast keeps all characters.
select a.attname::text, pg_catalog.format_type(a.atttypid, -1),
       pg_catalog.array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) + 1
from pg_catalog.pg_attribute a
left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
order by a.attnum
