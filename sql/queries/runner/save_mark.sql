INSERT INTO public.follower_marks (name, position) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET position = greatest(follower_marks.position, excluded.position)
