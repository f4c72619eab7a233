-- name: known
-- The oldest and the newest change that are kept, and whether the data are the demo's.
SELECT
    coalesce(min(c.seq), 0),
    coalesce(max(c.seq), 0),
    (SELECT count(*) > 0 FROM core.meta AS m WHERE m.key = 'demo')
FROM core.change AS c;

-- name: since
-- What happened behind a number, as a reader sees it: the event as it is now, or none where the reader could see it
-- before and does not any more. The first rows say up to where this answer goes.
WITH behind AS MATERIALIZED (
    SELECT c.seq, c.event_no, c.area_code
    FROM core.change AS c
    WHERE c.seq > %(since)s
    ORDER BY c.seq
    LIMIT %(n_rows)s
)

SELECT
    c.seq, c.event_no AS changed_no, e.event_no IS NOT NULL OR {was_seen} AS is_told,
    e.fid, e.event_no, e.title, e.kind, e.level, e.state, e.template, e.source, e.place, e.area_code, e.grid_code,
    e.reported_at, e.deadline_at, e.closed_at, coalesce(e.closed_at, now()) > e.deadline_at AS overdue,
    ST_X(e.geom) AS lon, ST_Y(e.geom) AS lat
FROM behind AS c
LEFT JOIN core.event AS e ON c.event_no = e.event_no AND {is_seen}
ORDER BY c.seq;

-- name: purge
-- The newest always stays: it tells who is up to date.
DELETE FROM core.change AS c
WHERE c.at < now() - make_interval(secs => %(kept_s)s) AND c.seq < (SELECT max(n.seq) FROM core.change AS n);
