-- The run that loaded the content with SHA-256 $3 (text) for job $1 (text) into the table $2 (text) since that held
-- nothing; where $5 (bool) says so only if nothing was loaded after it, and it was read by the recipe $4 (text).
SELECT run
  FROM (SELECT *, row_number() OVER (ORDER BY loaded_at DESC) = 1 AS is_last
          FROM eventjobs_sources
         WHERE "table" = $2
           AND loaded_at >= coalesce((SELECT max(loaded_at) FROM eventjobs_sources WHERE "table" = $2 AND is_first),
                                     '-infinity')) AS held
 WHERE job = $1 AND sha256 = $3 AND (NOT $5 OR (is_last AND recipe = $4))
 ORDER BY loaded_at DESC
 LIMIT 1
