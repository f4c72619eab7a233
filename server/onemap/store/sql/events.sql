-- name: page
-- By level, then time. The keyset comparison stands in the WHERE, so that page 1,000 costs what page 1 costs.
SELECT
    e.fid, e.event_no, e.title, e.kind, e.level, e.state, e.template, e.source, e.place, e.area_code, e.grid_code,
    e.reported_at, e.deadline_at, e.closed_at, coalesce(e.closed_at, now()) > e.deadline_at AS overdue,
    ST_X(e.geom) AS lon, ST_Y(e.geom) AS lat
FROM core.event AS e
WHERE {matching} AND {after}
ORDER BY e.level DESC, e.reported_at DESC, e.fid DESC
LIMIT %(n_rows)s;

-- name: counts
SELECT
    count(*),
    count(*) FILTER (WHERE e.closed_at IS NULL),
    count(*) FILTER (WHERE coalesce(e.closed_at, now()) > e.deadline_at),
    count(*) FILTER (WHERE e.level = 1),
    count(*) FILTER (WHERE e.level = 2),
    count(*) FILTER (WHERE e.level = 3),
    count(*) FILTER (WHERE e.level = 4)
FROM core.event AS e
WHERE {matching};

-- name: counts_by_tally
-- Closed events were counted when they were written; the open ones are few.
SELECT
    coalesce(sum(c.n), 0)::bigint,
    coalesce(sum(c.n) FILTER (WHERE c.is_open), 0)::bigint,
    coalesce(sum(c.n) FILTER (WHERE c.is_late), 0)::bigint,
    coalesce(sum(c.n) FILTER (WHERE c.level = 1), 0)::bigint,
    coalesce(sum(c.n) FILTER (WHERE c.level = 2), 0)::bigint,
    coalesce(sum(c.n) FILTER (WHERE c.level = 3), 0)::bigint,
    coalesce(sum(c.n) FILTER (WHERE c.level = 4), 0)::bigint
FROM (
    SELECT e.n, FALSE AS is_open, e.is_late, e.level FROM core.event_kind_tally AS e WHERE {tallied}
    UNION ALL
    SELECT 1, TRUE, (now() > e.deadline_at) IS TRUE, e.level
    FROM core.event AS e WHERE e.closed_at IS NULL AND {matching}
) AS c;

-- name: histogram
-- Equal bins between the two ends; a bin without events is not in the answer.
SELECT
    width_bucket(extract(EPOCH FROM e.reported_at), %(since_s)s, %(until_s)s, %(bins)s) - 1 AS bin,
    e.level,
    count(*)
FROM core.event AS e
WHERE {matching}
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: one
SELECT
    e.fid, e.event_no, e.title, e.kind, e.level, e.state, e.template, e.source, e.place, e.area_code, e.grid_code,
    e.reported_at, e.deadline_at, e.closed_at, coalesce(e.closed_at, now()) > e.deadline_at AS overdue,
    ST_X(e.geom) AS lon, ST_Y(e.geom) AS lat
FROM core.event AS e
WHERE e.event_no = %(event_no)s AND {matching};

-- name: history
SELECT a.seq, a.action, a.to_state, a.actor_post, a.note, a.at
FROM core.event_action AS a
WHERE a.event_no = %(event_no)s
ORDER BY a.seq;

-- name: heat
-- Events by H3 cell. A coarser cell is the finer one with its resolution changed and the digits below it set to 7.
SELECT
    (e.h3_10 & ~(15::bigint << 52))
    | (%(resolution)s::bigint << 52)
    | ((1::bigint << (3 * (15 - %(resolution)s::integer))) - 1) AS cell,
    count(*) AS n
FROM core.event AS e
WHERE e.h3_10 IS NOT NULL AND {matching}
GROUP BY 1
ORDER BY 2 DESC
LIMIT %(n_rows)s;

-- name: without_cell
SELECT e.fid, ST_X(e.geom), ST_Y(e.geom) FROM core.event AS e WHERE e.h3_10 IS NULL;

-- name: set_cells
UPDATE core.event AS e SET h3_10 = c.cell
FROM unnest(%(fids)s::bigint[], %(cells)s::bigint[]) AS c (fid, cell)
WHERE e.fid = c.fid;
