insert into @extschema@.vb_source_settings
    (source, client_column, key_columns, active_column, order_column, priority, payload_columns)
values ($1::regclass, $2, $3::name[], $4, $5, $6, $7::name[])
on conflict (source) do update
set client_column = excluded.client_column, key_columns = excluded.key_columns,
    active_column = excluded.active_column, order_column = excluded.order_column, priority = excluded.priority,
    payload_columns = excluded.payload_columns
