-- migrate:up

-- A run's detail shows the messages about it.
CREATE INDEX view_notifications_1_of_run ON public.view_notifications_1 (workspace, run) WHERE run IS NOT NULL;

-- migrate:down

DROP INDEX public.view_notifications_1_of_run;
