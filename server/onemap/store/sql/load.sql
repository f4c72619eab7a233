-- name: lock
-- One import into a layer at a time; others wait until this transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('onemap.import.' || %(layer)s, 0));

-- name: create_stage
CREATE TEMPORARY TABLE {stage} ({columns}, spot geometry (Point, 4490)) ON COMMIT DROP;

-- name: copy
COPY {stage} ({columns}) FROM STDIN;

-- name: analyze
ANALYZE {relation};

-- name: index_stage
CREATE INDEX ON {stage} USING gist (spot);

-- name: fill_area
-- Each row gets the smallest area that covers a point on its surface. Areas come first in the join, so that PostGIS
-- prepares each boundary once for all its points.
UPDATE {stage} AS s SET area_code = found.area_code
FROM (
    SELECT DISTINCT ON (p.row_id) p.row_id, a.area_code
    FROM core.area AS a
    INNER JOIN (SELECT ctid AS row_id, spot FROM {stage} WHERE area_code IS NULL) AS p
        ON a.geom && p.spot AND ST_Covers(a.geom, p.spot)
    ORDER BY p.row_id, ST_Area(a.geom), a.area_code
) AS found
WHERE s.ctid = found.row_id;

-- name: fill_grid
UPDATE {stage} AS s SET grid_code = found.grid_code
FROM (
    SELECT DISTINCT ON (p.row_id) p.row_id, g.grid_code
    FROM layer.grids AS g
    INNER JOIN (SELECT ctid AS row_id, spot FROM {stage} WHERE grid_code IS NULL) AS p
        ON g.geom && p.spot AND ST_Covers(g.geom, p.spot)
    ORDER BY p.row_id, ST_Area(g.geom), g.grid_code
) AS found
WHERE s.ctid = found.row_id;

-- name: update
-- Only rows that differ are written, so that a repeated import changes nothing and wakes no cache.
UPDATE {relation} AS t SET {assignments}
FROM {stage} AS s
WHERE t.{key} = s.{key} AND ({changed});

-- name: unless_counted
-- An estimate of households never takes the place of a count.
CASE
    WHEN s.households_estimated AND t.households IS NOT NULL AND t.households_estimated IS NOT TRUE THEN {old}
    ELSE {new}
END

-- name: insert
-- In Hilbert order of the points on the surface: neighbours on the map are neighbours on disk.
INSERT INTO {relation} ({columns})
SELECT {staged} FROM {stage} AS s
WHERE NOT EXISTS (SELECT FROM {relation} AS t WHERE t.{key} = s.{key})
ORDER BY s.spot;

-- name: near_buildings
-- How many points stand on a building or within some metres of one; the box in degrees uses the index.
SELECT count(*) FILTER (WHERE EXISTS (
    SELECT FROM layer.buildings AS b
    WHERE
        b.geom && ST_Expand(p.spot, %(reach_m)s / 111000.0 / cos(radians(ST_Y(p.spot))), %(reach_m)s / 111000.0)
        AND ST_DWithin(b.geom::geography, p.spot::geography, %(reach_m)s)
))
FROM (
    SELECT ST_SetSRID(ST_MakePoint(x, y), 4490) AS spot FROM unnest(%(lon)s::float8[], %(lat)s::float8[]) AS c (x, y)
) AS p;

-- name: export
SELECT {columns}, ST_AsBinary(f.geom) AS geom FROM {relation} AS f WHERE {where} ORDER BY f.fid;

-- name: count
SELECT count(*) FROM {relation} AS f WHERE {where};

-- name: box
f.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)
