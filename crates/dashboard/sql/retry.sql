select vb_retry_failed($1::bigint, $2::text[]) as records
