select vb_resume($1::bigint) as state
