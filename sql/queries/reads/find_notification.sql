SELECT id, kind, channel, recipient, subject_kind, subject_id, run, state, attempts, ambiguous,
       reason, detail, requested_at, next_at, ended_at
FROM public.view_notifications_1_at($1, $2, $3)
