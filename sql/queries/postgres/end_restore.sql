DROP TABLE public.eventjobs_restoring
