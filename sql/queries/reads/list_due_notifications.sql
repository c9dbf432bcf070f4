-- A few of each recipient's, so that one who does not answer keeps nobody else waiting; of these the first of each
-- workspace, then the second of each, so that neither a flood nor many who do not answer keep another workspace waiting.
-- A secret's name is another address in each workspace; all else is the same recipient whichever workspace tells it.
SELECT workspace, id, channel, recipient, next_at
FROM (
    SELECT workspace, id, channel, recipient, next_at,
           row_number() OVER (PARTITION BY workspace ORDER BY place, next_at, id) AS turn
    FROM (
        SELECT workspace, id, channel, recipient, next_at,
               row_number() OVER (
                   PARTITION BY channel, recipient, CASE WHEN starts_with(recipient, 'secret://') THEN workspace END
                   ORDER BY nth, next_at, id
               ) AS place
        FROM (
            SELECT workspace, id, channel, recipient, next_at,
                   row_number() OVER (PARTITION BY workspace, channel, recipient ORDER BY next_at, id) AS nth
            FROM public.view_notifications_1
            WHERE next_at <= $1
        ) AS due
    ) AS of_recipient
    WHERE place <= $2
) AS of_workspace
ORDER BY turn, next_at, id
LIMIT $3
