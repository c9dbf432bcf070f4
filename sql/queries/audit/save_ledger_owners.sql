-- $1 workspaces  $2 streams  $3 states, side by side
INSERT INTO ledger (workspace, stream, state)
SELECT workspace, stream, state::json FROM unnest($1::text[], $2::text[], $3::text[]) AS owner (workspace, stream, state)
ON CONFLICT (workspace, stream) DO UPDATE SET state = excluded.state
