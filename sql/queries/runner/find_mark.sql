SELECT position FROM public.follower_marks WHERE name = $1
