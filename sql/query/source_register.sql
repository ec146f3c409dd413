insert into @extschema@.vb_source_settings (source) values ($1::regclass) on conflict (source) do nothing
