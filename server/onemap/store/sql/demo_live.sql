-- name: turn
-- Whether this process may let the demo go on now: one at a time, and nobody waits for it.
SELECT pg_try_advisory_xact_lock(hashtext('onemap.demo.live'));

-- name: facts
-- What was invented, and up to when it has gone on.
SELECT
    m.value,
    (SELECT n.value ->> 'until' FROM core.meta AS n WHERE n.key = 'demo_live' AND n.value ->> 'of' = m.value ->> 'now')
FROM core.meta AS m
WHERE m.key = 'demo';

-- name: note
INSERT INTO core.meta (key, value) VALUES ('demo_live', %(value)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: like
-- Earlier invented events by their place in the loading order, or the next one where it is gone.
SELECT n.fid AS asked, found.fid, found.template, found.level
FROM unnest(%(fids)s::bigint[]) AS n (fid)
CROSS JOIN LATERAL ( -- noqa: ST05
    SELECT e.fid, e.template, e.level
    FROM core.event AS e
    WHERE e.fid BETWEEN n.fid AND %(n_events)s AND starts_with(e.area_code, '99')
    ORDER BY e.fid
    LIMIT 1
) AS found;

-- name: report
-- New events like earlier ones: the same kind at the same place.
INSERT INTO core.event (
    event_no, area_code, grid_code, title, kind, level, state, template, source, place, reported_at, deadline_at, h3_10,
    geom
)
SELECT
    n.event_no, e.area_code, e.grid_code, e.title, e.kind, e.level, 'reported', e.template, e.source, e.place,
    n.reported_at, n.deadline_at, e.h3_10, e.geom
FROM
    unnest(
        %(numbers)s::text[], %(fids)s::bigint[], %(reported)s::timestamptz[], %(deadlines)s::timestamptz[]
    ) AS n (event_no, fid, reported_at, deadline_at)
INNER JOIN core.event AS e ON n.fid = e.fid
ON CONFLICT (event_no) DO NOTHING;

-- name: first_steps
INSERT INTO core.event_action (event_no, seq, action, to_state, actor_post, at)
SELECT e.event_no, 1, 'report', 'reported', '上报人', e.reported_at
FROM core.event AS e
WHERE
    e.event_no = any(%(numbers)s)
    AND NOT EXISTS (SELECT FROM core.event_action AS a WHERE a.event_no = e.event_no);

-- name: going_on
-- Invented events that are open, and those closed a moment ago that may still be rated; with when somebody was sent.
WITH going AS (
    SELECT o.fid FROM core.event AS o WHERE o.closed_at IS NULL
    UNION ALL
    SELECT c.fid FROM core.event AS c WHERE c.state = 'closed' AND c.closed_at > %(now)s - interval '2 days'
)

SELECT
    e.event_no, e.state, e.template, e.level, e.reported_at,
    (SELECT max(d.at) FROM core.dispatch AS d WHERE d.event_no = e.event_no AND d.undone_at IS NULL) AS sent_at
FROM core.event AS e
WHERE
    e.fid IN (SELECT g.fid FROM going AS g)
    AND starts_with(e.area_code, '99')
    AND e.state IN ('reported', 'accepted', 'triaged', 'dispatched', 'processing', 'feedback', 'closed')
ORDER BY e.event_no
FOR UPDATE OF e SKIP LOCKED;

-- name: act
INSERT INTO core.event_action (event_no, seq, action, to_state, actor_post, at)
SELECT
    n.event_no,
    coalesce((SELECT max(a.seq) FROM core.event_action AS a WHERE a.event_no = n.event_no), 0)
    + row_number() OVER (PARTITION BY n.event_no ORDER BY n.place),
    n.doing, n.to_state, n.actor, n.at
FROM
    unnest(%(numbers)s::text[], %(doing)s::text[], %(states)s::text[], %(actors)s::text[], %(at)s::timestamptz[])
    WITH ORDINALITY AS n (event_no, doing, to_state, actor, at, place);

-- name: move_on
UPDATE core.event AS e SET
    state = n.state,
    responded_at = coalesce(e.responded_at, n.responded_at),
    closed_at = coalesce(e.closed_at, n.closed_at),
    rating = coalesce(e.rating, n.rating),
    resolved_at_level = CASE WHEN n.closed_at IS NULL THEN e.resolved_at_level ELSE n.resolved END
FROM
    unnest(
        %(numbers)s::text[], %(states)s::text[], %(responded)s::timestamptz[], %(closed)s::timestamptz[],
        %(ratings)s::smallint[], %(resolved)s::text[]
    ) AS n (event_no, state, responded_at, closed_at, rating, resolved)
WHERE e.event_no = n.event_no;

-- name: free
-- Posts that were sent to events which are closed now have one task less.
WITH ended AS (
    UPDATE core.dispatch AS d SET ended_at = %(now)s
    WHERE d.event_no = any(%(numbers)s) AND d.ended_at IS NULL
    RETURNING d.responder_id
)

UPDATE core.responder AS r SET n_tasks = greatest(r.n_tasks - n.n, 0)
FROM (SELECT e.responder_id, count(*)::integer AS n FROM ended AS e GROUP BY e.responder_id) AS n
WHERE r.responder_id = n.responder_id;
