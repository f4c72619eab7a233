-- name: events
-- Events reported in a window, by a key: how many, how many of them open, closed, overdue; on time of those closed.
SELECT
    {key} AS part,
    count(*) AS n,
    count(*) FILTER (WHERE e.closed_at IS NULL) AS n_open,
    count(*) FILTER (WHERE e.closed_at IS NOT NULL) AS n_closed,
    count(*) FILTER (WHERE coalesce(e.closed_at, now()) > e.deadline_at) AS n_overdue,
    count(*) FILTER (WHERE e.closed_at <= e.deadline_at) AS n_on_time,
    count(*) FILTER (WHERE e.closed_at IS NOT NULL AND e.deadline_at IS NOT NULL) AS n_timed
FROM core.event AS e
WHERE e.reported_at >= %(since)s AND e.reported_at < %(until)s AND {matching}
GROUP BY 1
ORDER BY 1;

-- name: day
(e.reported_at AT TIME ZONE 'Asia/Shanghai')::date::text

-- name: week
date_trunc('week', e.reported_at AT TIME ZONE 'Asia/Shanghai')::date::text

-- name: hour
to_char(e.reported_at AT TIME ZONE 'Asia/Shanghai', 'HH24')

-- name: area
left(coalesce(e.area_code, ''), %(digits)s)

-- name: grid
coalesce(e.grid_code, '')

-- name: area_names
SELECT a.area_code, a.name FROM layer.areas AS a WHERE a.area_code = ANY(%(codes)s::text[]) AND {scope};

-- name: grid_names
SELECT a.grid_code, coalesce(a.name, a.grid_no) FROM layer.grids AS a
WHERE a.grid_code = ANY(%(codes)s::text[]) AND {scope};
