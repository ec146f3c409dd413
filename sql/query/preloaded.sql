-- An entry may be a path, and quoted.
select pg_catalog.current_setting('shared_preload_libraries')
       ~ '(^|,)[[:space:]]*"?([^",]*/)?vector_backfill(\.so)?"?[[:space:]]*(,|$)'
