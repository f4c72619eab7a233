-- Each block gives: numerator, denominator, value, the same value one window earlier. A value that cannot be is NULL.
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
        extract(EPOCH FROM e.responded_at - e.reported_at) / 60.0 AS minutes
    FROM core.event AS e
    WHERE
        e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s
        AND e.responded_at IS NOT NULL AND {scope}
) AS answered;

-- name: on_time
SELECT
    count(*) FILTER (WHERE recent AND closed_at <= deadline_at),
    count(*) FILTER (WHERE recent),
    (count(*) FILTER (WHERE recent AND closed_at <= deadline_at))::double precision
    / nullif(count(*) FILTER (WHERE recent), 0),
    (count(*) FILTER (WHERE NOT recent AND closed_at <= deadline_at))::double precision
    / nullif(count(*) FILTER (WHERE NOT recent), 0)
FROM (
    SELECT
        e.closed_at,
        e.deadline_at,
        e.closed_at > %(now)s::timestamptz - interval '30 days' AS recent
    FROM core.event AS e
    WHERE
        e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s
        AND e.deadline_at IS NOT NULL AND {scope}
) AS closed;

-- name: resolved_in_grid
SELECT
    count(*) FILTER (WHERE recent AND resolved_at_level = 'grid'),
    count(*) FILTER (WHERE recent),
    (count(*) FILTER (WHERE recent AND resolved_at_level = 'grid'))::double precision
    / nullif(count(*) FILTER (WHERE recent), 0),
    (count(*) FILTER (WHERE NOT recent AND resolved_at_level = 'grid'))::double precision
    / nullif(count(*) FILTER (WHERE NOT recent), 0)
FROM (
    SELECT
        e.resolved_at_level,
        e.closed_at > %(now)s::timestamptz - interval '30 days' AS recent
    FROM core.event AS e
    WHERE e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s AND {scope}
) AS closed;

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

-- name: satisfaction
SELECT
    count(*) FILTER (WHERE recent), NULL::bigint,
    avg(rating) FILTER (WHERE recent)::double precision, avg(rating) FILTER (WHERE NOT recent)::double precision
FROM (
    SELECT
        e.rating,
        e.closed_at > %(now)s::timestamptz - interval '30 days' AS recent
    FROM core.event AS e
    WHERE
        e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s
        AND e.rating IS NOT NULL AND {scope}
) AS rated;

-- name: mediation
SELECT
    count(*) FILTER (WHERE recent AND near), count(*) FILTER (WHERE recent),
    (count(*) FILTER (WHERE recent AND near))::double precision / nullif(count(*) FILTER (WHERE recent), 0),
    (count(*) FILTER (WHERE NOT recent AND near))::double precision / nullif(count(*) FILTER (WHERE NOT recent), 0)
FROM (
    SELECT
        e.resolved_at_level IN ('grid', 'community') AS near,
        e.closed_at > %(now)s::timestamptz - interval '30 days' AS recent
    FROM core.event AS e
    WHERE
        e.closed_at > %(now)s::timestamptz - interval '60 days' AND e.closed_at <= %(now)s
        AND e.template = 'dispute' AND {scope}
) AS disputes;

-- name: cameras_online
SELECT
    count(*) FILTER (WHERE e.status = 'online'), count(*),
    (count(*) FILTER (WHERE e.status = 'online'))::double precision / nullif(count(*), 0), NULL::double precision
FROM layer.cameras AS e WHERE {scope};
