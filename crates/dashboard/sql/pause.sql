select vb_pause($1::bigint) as state
