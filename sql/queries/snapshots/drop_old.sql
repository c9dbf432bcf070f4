-- $1 code version: what other versions of the code folded is of no use to this one after a week
DELETE FROM snapshots WHERE code_version <> $1 AND at < now() - interval '7 days'
