-- Transactions that this statement cannot see: the first that had not begun, and those under way.
select pg_snapshot_xmax(s)::text, array(select x::text from pg_snapshot_xip(s) x)
from pg_current_snapshot() s
