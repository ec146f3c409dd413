select vb_cancel($1::bigint) as state
