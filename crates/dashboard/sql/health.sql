select h.severity, h.finding, h.hint, h.cause, h.job_id, h.client_id from vb_health() h
