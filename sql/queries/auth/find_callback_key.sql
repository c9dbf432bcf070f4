SELECT key FROM public.callback_key
