-- All it takes. (shared_preload_libraries lets jobs go on after a restart; it is not needed to start.)
create extension vector_backfill;
