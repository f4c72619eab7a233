-- Vector tiles. {reach} is the tile's box in degrees with a margin, in the features' own CRS, so that the GiST index
-- filters. {tile_geom} and {bounds} are in Web Mercator or, from zoom 12 up, in degrees: there a tile is so small that
-- longitude and latitude are straight lines in Web Mercator to a part of a pixel, and no vertex need be projected.

-- name: features
-- MATERIALIZED keeps ST_AsMVTGeom from running twice per feature.
WITH near AS (
    SELECT f.fid, f.geom, {columns}
    FROM {table} AS f
    WHERE f.geom && {reach} AND {rows} AND {scope}
    {most}
),

mvt AS MATERIALIZED (
    SELECT near.fid, {names}, ST_AsMVTGeom({tile_geom}, {bounds}, 4096, 64) AS geom
    FROM near
)

SELECT ST_AsMVT(mvt, {layer}, 4096, 'geom', 'fid') FROM mvt WHERE geom IS NOT NULL;

-- name: lines_merged
-- Lines of a kind become one, so that a street is drawn whole and small where its pieces would be specks.
WITH kind AS (
    SELECT {columns}, ST_LineMerge(ST_CollectionExtract(ST_Collect(f.geom), 2)) AS geom
    FROM {table} AS f
    WHERE f.geom && {reach} AND {rows} AND {scope}
    GROUP BY {groups}
),

mvt AS MATERIALIZED (
    SELECT {names}, ST_AsMVTGeom({tile_geom}, {bounds}, 4096, 64) AS geom
    FROM (SELECT {names}, ST_Simplify(kind.geom, %(pixel)s) AS geom FROM kind) AS near
)

SELECT ST_AsMVT(mvt, {layer}, 4096, 'geom') FROM mvt WHERE geom IS NOT NULL;

-- name: clusters
-- Points joined by cells of 64 pixels; a point alone in its cell stays itself. A tile counts what lies in it and not
-- what lies in its margin, so that the counts of all tiles add up.
WITH cell AS MATERIALIZED (
    SELECT
        floor((ST_X(f.geom) - %(west)s) / (%(east)s - %(west)s) * 8)::integer AS column_no,
        floor((ST_Y(f.geom) - %(south)s) / (%(north)s - %(south)s) * 8)::integer AS row_no,
        count(*)::integer AS point_count,
        avg(ST_X(f.geom)) AS lon,
        avg(ST_Y(f.geom)) AS lat,
        min(f.fid) AS fid
        {highest}
    FROM {table} AS f
    WHERE
        f.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)
        AND ST_X(f.geom) >= %(west)s AND ST_X(f.geom) < %(east)s
        AND ST_Y(f.geom) > %(south)s AND ST_Y(f.geom) <= %(north)s
        AND {rows} AND {scope}
    GROUP BY 1, 2
),

near AS (
    SELECT
        f.fid,
        nullif(cell.point_count, 1) AS point_count,
        ST_SetSRID(ST_MakePoint(cell.lon, cell.lat), 4490) AS geom
        {highest_names},
        {columns}
    FROM cell
    LEFT JOIN {table} AS f ON cell.fid = f.fid AND cell.point_count = 1
),

mvt AS MATERIALIZED (
    SELECT
        near.fid,
        near.point_count,
        {names},
        ST_AsMVTGeom({tile_geom}, {bounds}, 4096, 64) AS geom
        {highest_names}
    FROM near
)

SELECT ST_AsMVT(mvt, {layer}, 4096, 'geom', 'fid') FROM mvt WHERE geom IS NOT NULL;

-- name: labels
-- One point for each polygon, in the one tile that holds it: a label on the polygons themselves would come once a tile.
WITH anchored AS (
    SELECT f.fid, f.geom, {columns}, ST_Centroid(f.geom) AS centroid
    FROM {table} AS f
    WHERE f.geom && {reach} AND {rows} AND {scope}
    {most}
),

near AS (
    SELECT
        anchored.*,
        CASE
            WHEN ST_Intersects(anchored.geom, anchored.centroid) THEN anchored.centroid
            ELSE ST_PointOnSurface(anchored.geom)
        END AS anchor
    FROM anchored
),

mvt AS MATERIALIZED (
    SELECT near.fid, {names}, ST_AsMVTGeom({tile_geom}, {bounds}, 4096, 0) AS geom
    FROM (SELECT n.fid, {names}, n.anchor AS geom FROM near AS n) AS near
    WHERE
        ST_X(near.geom) >= %(west)s AND ST_X(near.geom) < %(east)s
        AND ST_Y(near.geom) > %(south)s AND ST_Y(near.geom) <= %(north)s
)

SELECT ST_AsMVT(mvt, {layer}, 4096, 'geom', 'fid') FROM mvt WHERE geom IS NOT NULL;

-- name: cameras.sector
-- The ground a camera sees: its bearing, field of view and range as a polygon of 17 points on the arc. A degree is
-- 111,320 m on a parallel at the equator and 110,900 m on a meridian here; a camera is not known to half a percent.
WITH seeing AS (
    SELECT
        f.fid, f.geom, f.camera_class, f.status, f.bearing_deg, f.range_m,
        least(f.fov_deg, 360) AS fov_deg,
        f.range_m / 110900 AS north_deg,
        f.range_m / (111320 * cosd(ST_Y(f.geom))) AS east_deg
    FROM {table} AS f
    WHERE
        -- the index finds those within 500 m, their own range decides; one that looks farther shows in its own tile
        f.geom && ST_Expand({reach}, 0.006)
        AND f.range_m > 0 AND f.fov_deg > 0 AND f.bearing_deg IS NOT NULL
        AND {rows} AND {scope}
),

arc AS (
    SELECT
        s.fid,
        ST_MakeLine(
            ST_SetSRID(
                ST_MakePoint(
                    ST_X(s.geom) + s.east_deg * sind(s.bearing_deg + s.fov_deg * (step / 16.0 - 0.5)),
                    ST_Y(s.geom) + s.north_deg * cosd(s.bearing_deg + s.fov_deg * (step / 16.0 - 0.5))
                ),
                4490
            ) ORDER BY step
        ) AS geom
    FROM seeing AS s
    CROSS JOIN generate_series(0, 16) AS step
    WHERE
        ST_X(s.geom) BETWEEN %(west)s - s.east_deg AND %(east)s + s.east_deg
        AND ST_Y(s.geom) BETWEEN %(south)s - s.north_deg AND %(north)s + s.north_deg
    GROUP BY s.fid
),

mvt AS MATERIALIZED (
    SELECT near.fid, near.camera_class, near.status, ST_AsMVTGeom({tile_geom}, {bounds}, 4096, 64) AS geom
    FROM (
        SELECT
            s.fid, s.camera_class, s.status,
            ST_MakePolygon(
                ST_AddPoint(
                    CASE WHEN s.fov_deg < 360 THEN ST_AddPoint(arc.geom, s.geom) ELSE arc.geom END,
                    ST_StartPoint(arc.geom)
                )
            ) AS geom
        FROM seeing AS s
        INNER JOIN arc ON s.fid = arc.fid
    ) AS near
)

SELECT ST_AsMVT(mvt, 'cameras_sector', 4096, 'geom', 'fid') FROM mvt WHERE geom IS NOT NULL;

-- name: roads.rows
-- Small streets from the zoom at which they are drawn.
(
    f.road_class IN ('motorway', 'trunk', 'primary')
    OR (%(z)s >= 10 AND f.road_class = 'secondary')
    OR (%(z)s >= 13 AND f.road_class IN ('tertiary', 'residential'))
    OR (%(z)s >= 14 AND f.road_class = 'service')
    OR %(z)s >= 15
)

-- name: patrol_points.columns
-- By the calendar of the place: due on the last day of the interval, overdue after it; a place never visited is due.
CASE sign(
    (now() AT TIME ZONE 'Asia/Shanghai')::date - (f.last_visit_at AT TIME ZONE 'Asia/Shanghai')::date - f.due_days
)
    WHEN -1 THEN 'done'
    WHEN 1 THEN 'overdue'
    ELSE 'due'
END AS visit

-- name: responders.columns
-- A position older than ten minutes says where somebody was.
(f.position_at < now() - INTERVAL '10 minutes') AS stale

-- name: bounds
-- The ground that the tiles cover for this reader.
SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
FROM (SELECT ST_Extent(f.geom) AS e FROM {table} AS f WHERE {rows} AND {scope}) AS extent
WHERE e IS NOT NULL;

-- name: bounds_estimated
SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
FROM (SELECT ST_EstimatedExtent('layer', %(name)s, 'geom') AS e) AS extent
WHERE e IS NOT NULL;
