-- Everybody who may sign in by an identity provider, and the position up to which that is so; without anybody one row
-- of nulls.
SELECT c.position, m.workspace, m.id, m.name, m.roles::text AS roles, m.read_only, m.from_position,
       i.issuer, i.subject
FROM public.view_checkpoints AS c
LEFT JOIN (public.view_members_1 AS m JOIN public.view_member_identities_1 AS i USING (workspace, id))
       ON i.subject IS NOT NULL AND m.removed_at IS NULL
WHERE c.name = 'members' AND c.version = 1
