-- Each block gives: numerator, denominator, value, the same value one window earlier. A value that cannot be is NULL.
-- What closed events say (on time, in the grid, satisfaction, mediation) comes from one block, closed_windows.
-- %(now)s is the moment of calculation, %(midnight)s the beginning of its day where the city is.

-- name: open_events
SELECT count(*), NULL::bigint, count(*)::double precision, NULL::double precision
FROM core.event AS e WHERE e.closed_at IS NULL AND {scope};

-- name: reported_today
SELECT
    count(*) FILTER (WHERE e.reported_at >= %(midnight)s),
    NULL::bigint,
    (count(*) FILTER (WHERE e.reported_at >= %(midnight)s))::double precision,
    (count(*) FILTER (WHERE e.reported_at < %(now)s::timestamptz - interval '1 day'))::double precision
FROM core.event AS e
WHERE
    e.reported_at >= %(midnight)s::timestamptz - interval '1 day' AND e.reported_at <= %(now)s AND {scope};

-- name: response_median
SELECT
    count(*) FILTER (WHERE recent),
    NULL::bigint,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE recent),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE NOT recent)
FROM (
    SELECT
        e.closed_at > %(now)s::timestamptz - interval '30 days' AS recent,
        date_part('epoch', e.responded_at - e.reported_at) / 60.0 AS minutes
    FROM core.event AS e
    WHERE
        e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s
        AND e.responded_at IS NOT NULL AND {scope}
) AS answered;

-- name: closed_days
-- Events closed in the last 30 days (recent) and in the 30 before: whole days from the tally, the days that the windows
-- cut from the rows. The days are today, the one 30 days ago and the one 60 days ago.
SELECT
    e.day > %(day_30)s::date AS recent,
    e.n_closed, e.n_timed, e.n_on_time, e.n_in_grid, e.n_rated, e.rating_sum, e.n_disputes, e.n_disputes_near
FROM core.event_day_tally AS e
WHERE e.day > %(day_60)s::date AND e.day < %(day_0)s::date AND e.day <> %(day_30)s::date AND {scope}
UNION ALL
{rows}

-- name: closed_rows
SELECT
    e.closed_at > %(now)s::timestamptz - interval '30 days',
    1,
    (e.deadline_at IS NOT NULL)::integer,
    ((e.closed_at <= e.deadline_at) IS TRUE)::integer,
    ((e.resolved_at_level = 'grid') IS TRUE)::integer,
    (e.rating IS NOT NULL)::integer,
    coalesce(e.rating, 0),
    (e.template = 'dispute')::integer,
    ((e.template = 'dispute' AND e.resolved_at_level IN ('grid', 'community')) IS TRUE)::integer
FROM core.event AS e
WHERE
    e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s AND {cut} AND {scope}

-- name: cut_days
-- The parts of the windows that are no whole days of the city.
(
    e.closed_at >= %(midnight)s
    OR (e.closed_at >= %(midnight_30)s AND e.closed_at < %(midnight_30)s::timestamptz + interval '1 day')
    OR e.closed_at < %(midnight_60)s::timestamptz + interval '1 day'
)

-- name: closed_windows
-- The two windows, summed.
SELECT
    c.recent, sum(c.n_closed), sum(c.n_timed), sum(c.n_on_time), sum(c.n_in_grid), sum(c.n_rated), sum(c.rating_sum),
    sum(c.n_disputes), sum(c.n_disputes_near)
FROM ({closed}) AS c (
    recent, n_closed, n_timed, n_on_time, n_in_grid, n_rated, rating_sum, n_disputes, n_disputes_near
)
GROUP BY c.recent;

-- name: on_duty
SELECT
    count(*) FILTER (WHERE e.on_duty), count(*), (count(*) FILTER (WHERE e.on_duty))::double precision,
    NULL::double precision
FROM core.responder AS e WHERE {scope};

-- name: patrol_coverage
SELECT
    count(*) FILTER (WHERE e.last_visit_at > %(now)s::timestamptz - interval '7 days'),
    count(*),
    (count(*) FILTER (WHERE e.last_visit_at > %(now)s::timestamptz - interval '7 days'))::double precision
    / nullif(count(*), 0),
    NULL::double precision
FROM layer.patrol_points AS e WHERE {scope};

-- name: grids_in_band
SELECT
    count(*) FILTER (WHERE e.in_band), count(*),
    (count(*) FILTER (WHERE e.in_band))::double precision / nullif(count(*), 0), NULL::double precision
FROM layer.grids AS e WHERE e.grid_type = 'basic' AND {scope};

-- name: new_today
SELECT count(*), NULL::bigint, count(*)::double precision, NULL::double precision
FROM core.event AS e WHERE e.closed_at IS NULL AND e.reported_at >= %(midnight)s AND {scope};

-- name: waiting
SELECT count(*), NULL::bigint, count(*)::double precision, NULL::double precision
FROM core.event AS e
WHERE e.closed_at IS NULL AND e.state IN ('reported', 'accepted', 'triaged') AND {scope};

-- name: overdue
SELECT count(*), NULL::bigint, count(*)::double precision, NULL::double precision
FROM core.event AS e WHERE e.closed_at IS NULL AND e.deadline_at < %(now)s AND {scope};

-- name: cameras_online
SELECT
    count(*) FILTER (WHERE e.status = 'online'), count(*),
    (count(*) FILTER (WHERE e.status = 'online'))::double precision / nullif(count(*), 0), NULL::double precision
FROM layer.cameras AS e WHERE {scope};

-- Series: one row a day of the city, the earlier first: day, value, numerator, denominator.

-- name: days
-- The days asked for, with what was reported on each and what was closed on it.
SELECT
    d.day::date AS day, sum(e.n_reported) AS n_reported, sum(e.n_closed) AS n_closed, sum(e.n_timed) AS n_timed,
    sum(e.n_on_time) AS n_on_time, sum(e.n_in_grid) AS n_in_grid, sum(e.n_rated) AS n_rated,
    sum(e.rating_sum) AS rating_sum, sum(e.n_disputes) AS n_disputes, sum(e.n_disputes_near) AS n_disputes_near
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d (day)
LEFT JOIN core.event_day_tally AS e ON e.day = d.day::date AND {scope}
GROUP BY d.day
ORDER BY d.day;

-- name: days_of_grid
-- The same for a grid, from the rows.
SELECT
    d.day::date AS day,
    count(*) FILTER (WHERE r.what = 'reported'),
    count(*) FILTER (WHERE r.what = 'closed'),
    count(*) FILTER (WHERE r.what = 'closed' AND r.deadline_at IS NOT NULL),
    count(*) FILTER (WHERE r.what = 'closed' AND r.closed_at <= r.deadline_at),
    count(*) FILTER (WHERE r.what = 'closed' AND r.resolved_at_level = 'grid'),
    count(*) FILTER (WHERE r.what = 'closed' AND r.rating IS NOT NULL),
    coalesce(sum(r.rating) FILTER (WHERE r.what = 'closed'), 0),
    count(*) FILTER (WHERE r.what = 'closed' AND r.template = 'dispute'),
    count(*) FILTER (
        WHERE r.what = 'closed' AND r.template = 'dispute' AND r.resolved_at_level IN ('grid', 'community')
    )
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d (day)
LEFT JOIN (
    SELECT 'reported' AS what, (e.reported_at AT TIME ZONE 'Asia/Shanghai')::date AS day, e.*
    FROM core.event AS e WHERE {scope}
    UNION ALL
    SELECT 'closed' AS what, (e.closed_at AT TIME ZONE 'Asia/Shanghai')::date AS day, e.*
    FROM core.event AS e WHERE e.closed_at IS NOT NULL AND {scope}
) AS r ON r.day = d.day::date
GROUP BY d.day
ORDER BY d.day;

-- name: n_open
SELECT count(*) FROM core.event AS e WHERE e.closed_at IS NULL AND {scope};

-- name: response_days
-- The median of each day that something was closed on.
SELECT
    (e.closed_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', e.responded_at - e.reported_at) / 60.0),
    count(*)
FROM core.event AS e
WHERE e.closed_at >= %(since)s AND e.closed_at < %(until)s AND e.responded_at IS NOT NULL AND {scope}
GROUP BY 1
ORDER BY 1;
