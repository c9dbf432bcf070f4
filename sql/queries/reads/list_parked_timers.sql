SELECT due_at, workspace, owner_kind, owner_id, parked_reason FROM public.view_timers_1 WHERE parked
