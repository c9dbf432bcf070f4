-- migrate:up

-- What did not go well, by when: few among many, so that a calendar of a month need not look at everything that ran.
CREATE INDEX view_occurrences_1_not_run_idx ON public.view_occurrences_1 (workspace, due, id) WHERE outcome <> 'ran';
CREATE INDEX view_run_status_1_ended_badly_idx
    ON public.view_run_status_1 (workspace, ended_at, id) WHERE state <> 'succeeded' AND ended_at IS NOT NULL;

-- migrate:down

DROP INDEX public.view_occurrences_1_not_run_idx, public.view_run_status_1_ended_badly_idx;
