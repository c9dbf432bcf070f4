-- What run $1 (text), row $2 (int) has loaded, if anything, and the highest term under which the run loaded (0: none).
SELECT (SELECT coalesce(max(term), 0) FROM eventjobs_loads WHERE run = $1) AS highest_term,
       (SELECT sha256 FROM eventjobs_loads WHERE run = $1 AND "row" = $2) AS sha256,
       (SELECT counts::text FROM eventjobs_loads WHERE run = $1 AND "row" = $2) AS counts
