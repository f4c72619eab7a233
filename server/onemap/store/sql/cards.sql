-- name: around_building
-- What a building belongs to.
SELECT e.fid, e.name
FROM layer.buildings AS f
INNER JOIN layer.estates AS e ON f.estate_id = e.estate_id
WHERE f.fid = %(fid)s AND {scope}
LIMIT 1;

-- name: grid_of_building
SELECT {columns}
FROM layer.buildings AS f
INNER JOIN layer.grids AS g ON f.grid_code = g.grid_code
WHERE f.fid = %(fid)s AND {scope}
LIMIT 1;

-- name: cameras_near
-- Cameras within some metres of a building's outline, the nearest first; the box in degrees uses the index.
SELECT
    c.fid, coalesce(c.place, c.camera_id), ST_X(c.geom), ST_Y(c.geom), c.bearing_deg, c.fov_deg, c.range_m,
    ST_Distance(c.geom::geography, f.geom::geography) AS metres
FROM layer.buildings AS f
INNER JOIN layer.cameras AS c
    ON c.geom && ST_Expand(f.geom, %(reach_m)s / 111000.0 / cos(radians(ST_YMin(f.geom))), %(reach_m)s / 110000.0)
WHERE f.fid = %(fid)s AND ST_DWithin(c.geom::geography, f.geom::geography, %(reach_m)s) AND {scope}
ORDER BY metres, c.fid
LIMIT %(n_rows)s;

-- name: camera
SELECT c.fid, coalesce(c.place, c.camera_id), ST_X(c.geom), ST_Y(c.geom), c.bearing_deg, c.fov_deg, c.range_m, 0.0
FROM layer.cameras AS c
WHERE c.fid = %(fid)s AND {scope};

-- name: outlines
-- Buildings that may stand in a view: all that touch a box, the reader's or not, since a wall hides what is behind it.
SELECT b.fid, ST_AsBinary(b.geom)
FROM layer.buildings AS b
WHERE b.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490);

-- name: open_events
-- Open events in or at a building, the gravest first.
SELECT
    e.fid, e.event_no, e.title, e.level, e.state, coalesce(e.deadline_at < now(), FALSE) AS overdue
FROM layer.buildings AS f
INNER JOIN core.event AS e
    ON e.geom && ST_Expand(f.geom, %(reach_m)s / 111000.0 / cos(radians(ST_YMin(f.geom))), %(reach_m)s / 110000.0)
WHERE
    f.fid = %(fid)s AND e.closed_at IS NULL AND ST_DWithin(e.geom::geography, f.geom::geography, %(reach_m)s)
    AND {scope}
ORDER BY e.level DESC, e.reported_at DESC
LIMIT %(n_rows)s;

-- name: facilities_near
-- Facilities in a box around a place, each with its straight distance.
SELECT
    f.fid, coalesce(f.name, f.facility_id), f.category, ST_X(p.at), ST_Y(p.at),
    ST_Distance(p.at::geography, ST_Point(%(lon)s, %(lat)s, 4490)::geography) AS metres
FROM layer.facilities AS f
CROSS JOIN LATERAL ST_PointOnSurface(f.geom) AS p (at)
WHERE
    f.geom && ST_Expand(
        ST_Point(%(lon)s, %(lat)s, 4490),
        %(reach_m)s::float8 / 111000.0 / cos(radians(%(lat)s::float8)),
        %(reach_m)s::float8 / 110000.0
    )
    AND f.category IS NOT NULL AND {scope};

-- name: grid
-- The rule that a grid was made by, and its numbers.
SELECT
    g.grid_code, p.rule_set, p.source_document, g.households, g.persons, g.in_band, ST_Area(g.geom::geography),
    g.n_informants,
    (SELECT count(*) FROM core.grid AS m WHERE m.plan_id = g.plan_id AND m.parent_code = g.grid_code)
FROM core.grid AS g
INNER JOIN core.grid_plan AS p ON g.plan_id = p.plan_id
WHERE g.fid = %(fid)s;

-- name: n_buildings_of_grid
SELECT count(*) FROM layer.buildings AS f WHERE f.grid_code = %(grid_code)s AND {scope};

-- name: n_cameras_of_grid
SELECT count(*)
FROM core.grid AS g
INNER JOIN layer.cameras AS f ON f.geom && g.geom AND ST_Covers(g.geom, f.geom)
WHERE g.fid = %(fid)s AND {scope};

-- name: events_of_grid
-- The last days, each by how many events were reported and how many of these are still open.
SELECT d.day::date, count(e.event_no), count(e.event_no) FILTER (WHERE e.closed_at IS NULL)
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS d (day)
LEFT JOIN core.event AS e
    ON
        e.grid_code = %(grid_code)s
        AND e.reported_at >= d.day::timestamp AT TIME ZONE 'Asia/Shanghai'
        AND e.reported_at < (d.day + interval '1 day')::timestamp AT TIME ZONE 'Asia/Shanghai'
        AND {scope}
GROUP BY d.day
ORDER BY d.day;

-- name: n_open_of_grid
SELECT count(*) FROM core.event AS e WHERE e.grid_code = %(grid_code)s AND e.closed_at IS NULL AND {scope};

-- name: visits_of_grid
-- Points visited in the last days; points whose next visit falls within as many days, and those past it.
SELECT
    count(*) FILTER (WHERE f.last_visit_at > %(now)s::timestamptz - make_interval(days => %(days)s)),
    count(*),
    count(*) FILTER (
        WHERE n.next_at > %(now)s AND n.next_at <= %(now)s::timestamptz + make_interval(days => %(days)s)
    ),
    count(*) FILTER (WHERE n.next_at <= %(now)s OR (f.due_days IS NOT NULL AND f.last_visit_at IS NULL))
FROM layer.patrol_points AS f
CROSS JOIN LATERAL timezone('UTC', timezone('UTC', f.last_visit_at) + make_interval(days => f.due_days)) AS n (next_at)
WHERE f.grid_code = %(grid_code)s AND {scope};

-- name: visits_of_point
SELECT
    f.last_visit_at, f.due_days, n.next_at,
    n.next_at <= %(now)s OR (f.due_days IS NOT NULL AND f.last_visit_at IS NULL)
FROM layer.patrol_points AS f
CROSS JOIN LATERAL timezone('UTC', timezone('UTC', f.last_visit_at) + make_interval(days => f.due_days)) AS n (next_at)
WHERE f.fid = %(fid)s AND {scope};

-- name: buildings_of_area
SELECT count(*), {numbers} FROM layer.buildings AS f WHERE {inside} AND {scope};

-- name: grids_of_area
SELECT count(*) FROM layer.grids AS f WHERE {inside} AND {scope};

-- name: open_of_area
SELECT count(*) FROM core.event AS e WHERE e.closed_at IS NULL AND {inside} AND {scope};

-- name: buildings_of_estate
SELECT count(*), {numbers} FROM layer.buildings AS f WHERE f.estate_id = %(estate_id)s AND {scope};

-- name: grids_of_estate
SELECT count(DISTINCT b.grid_code)
FROM layer.buildings AS b
INNER JOIN layer.grids AS f ON b.grid_code = f.grid_code
WHERE b.estate_id = %(estate_id)s AND {scope};

-- name: open_of_estate
SELECT count(*)
FROM layer.estates AS s
INNER JOIN core.event AS e ON e.geom && s.geom AND e.closed_at IS NULL AND ST_Covers(s.geom, e.geom)
WHERE s.estate_id = %(estate_id)s AND {scope};
