-- Every key that the view has, and the position up to which that is so; without a key one row of nulls.
SELECT c.position, k.workspace, k.id, k.lookup, k.secret_sha256, k.roles::text AS roles, k.workspaces::text AS workspaces,
       k.read_only, k.expires_at, k.revoked_at, m.member
FROM public.view_checkpoints AS c
LEFT JOIN public.view_keys_1 AS k ON true
LEFT JOIN public.view_key_members_1 AS m USING (workspace, id)
WHERE c.name = 'keys' AND c.version = 1
