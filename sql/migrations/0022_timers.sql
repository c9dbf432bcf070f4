-- migrate:up

-- What could not be answered is asked again a minute later, by every instance for itself: no view holds it back.
DROP INDEX public.view_timers_1_due_idx;
ALTER TABLE public.view_timers_1 DROP COLUMN parked, DROP COLUMN parked_reason;
CREATE INDEX view_timers_1_due_idx ON public.view_timers_1 (due_at);

-- migrate:down

DROP INDEX public.view_timers_1_due_idx;
ALTER TABLE public.view_timers_1
    ADD COLUMN parked boolean NOT NULL DEFAULT false,
    ADD COLUMN parked_reason text;
CREATE INDEX view_timers_1_due_idx ON public.view_timers_1 (due_at) WHERE NOT parked;
