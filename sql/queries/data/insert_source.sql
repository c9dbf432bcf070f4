-- Notes that run $1 (text), row $2 (int) of job $3 (text) loaded into the table $4 (text) the content with SHA-256 $5
-- (text), read by the recipe $6 (text); $7 (bool): the table held nothing else then.
INSERT INTO eventjobs_sources (run, "row", job, "table", sha256, recipe, is_first)
VALUES ($1, $2, $3, $4, $5, $6, $7)
