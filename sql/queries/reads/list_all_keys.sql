SELECT workspace, id, lookup, secret_sha256, roles::text, workspaces::text, read_only, expires_at, revoked_at
FROM public.view_keys_1
