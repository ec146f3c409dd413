-- $2 former names of columns, $3 their present ones.
update @extschema@.vb_source_settings
set client_column = coalesce(($3::name[])[array_position($2::name[], client_column)], client_column),
    active_column = coalesce(($3::name[])[array_position($2::name[], active_column)], active_column),
    order_column = coalesce(($3::name[])[array_position($2::name[], order_column)], order_column),
    key_columns = case when key_columns is not null then array(
        select coalesce(($3::name[])[array_position($2::name[], k.name)], k.name)
        from unnest(key_columns) with ordinality as k(name, n) order by k.n) end,
    payload_columns = case when payload_columns is not null then array(
        select coalesce(($3::name[])[array_position($2::name[], k.name)], k.name)
        from unnest(payload_columns) with ordinality as k(name, n) order by k.n) end
where source = $1
