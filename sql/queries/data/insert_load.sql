-- Records the load of run $1 (text), row $2 (int), job $3 (text), attempt $4 (int), term $5 (bigint) with sha256 $6
-- (text) and counts $7 (json text); writes nothing if it is recorded already or a higher term of the run has loaded.
INSERT INTO eventjobs_loads (run, "row", job, attempt, term, sha256, counts)
SELECT $1, $2, $3, $4, $5, $6, $7::text::json
WHERE NOT EXISTS (SELECT FROM eventjobs_loads WHERE run = $1 AND term > $5)
ON CONFLICT ON CONSTRAINT eventjobs_loads_once DO NOTHING
RETURNING true
