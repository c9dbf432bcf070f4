SELECT m.id, m.version, m.name, m.email, m.roles::text, m.read_only, m.added_at, m.added_by, m.removed_at,
       i.issuer, i.subject,
       ARRAY(
           SELECT v.id FROM public.view_key_members_1 AS l
           CROSS JOIN LATERAL public.view_key_members_1_at(l.workspace, l.id, $3) AS o
           CROSS JOIN LATERAL public.view_keys_1_at(l.workspace, l.id, $3) AS v
           WHERE l.workspace = $1 AND l.member = $2 AND v.revoked_at IS NULL ORDER BY v.id
       ) AS keys
FROM public.view_members_1_at($1, $2, $3) AS m
LEFT JOIN public.view_member_identities_1_at($1, $2, $3) AS i ON true
