update @extschema@.vb_providers set enabled = true where name = $1
