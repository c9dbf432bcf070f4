SELECT v.id, v.version, v.roles::text, v.workspaces::text, v.read_only, v.expires_at, v.issued_at, v.issued_by, v.revoked_at,
       m.member
FROM public.view_keys_1 AS k
CROSS JOIN LATERAL public.view_keys_1_at(k.workspace, k.id, $2) AS v
LEFT JOIN LATERAL public.view_key_members_1_at(k.workspace, k.id, $2) AS m ON true
WHERE k.workspace = $1 AND k.id > $3
ORDER BY k.id
LIMIT $4
