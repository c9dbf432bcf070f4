SELECT (SELECT max(e.position) FROM events e) AS position, pg_export_snapshot() AS snapshot
