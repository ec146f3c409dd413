-- One search in plain words, given as the variable `words`, within the rows of `client`.
select round(found.score::numeric, 3) as score, issues.title as package, issues.summary
from vb_search(:client, 'issues', :'words', 5) as found
join issues on issues.id = found.record_id::bigint
order by found.score desc;
