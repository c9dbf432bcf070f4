SELECT v.id, v.version, v.roles::text, v.workspaces::text, v.read_only, v.expires_at, v.issued_at, v.issued_by, v.revoked_at,
       m.member
FROM public.view_keys_1_at($1, $2, $3) AS v
LEFT JOIN LATERAL public.view_key_members_1_at($1, $2, $3) AS m ON true
