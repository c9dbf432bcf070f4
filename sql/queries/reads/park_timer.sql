UPDATE public.view_timers_1 SET parked = true, parked_reason = $4
WHERE workspace = $1 AND owner_kind = $2 AND owner_id = $3 AND kind = 'next_due'
