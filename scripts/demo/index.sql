-- After the rows, since that is faster. A client of a large table is found by its index.
create index on issues (client_id);
create index on projects (client_id);
analyze issues, projects;
