-- $2 former names of columns, $3 their present ones.
update @extschema@.vb_source_texts
set text_columns = array(
        select coalesce(($3::name[])[array_position($2::name[], k.name)], k.name)
        from unnest(text_columns) with ordinality as k(name, n) order by k.n)
where source = $1 and text_columns is not null
