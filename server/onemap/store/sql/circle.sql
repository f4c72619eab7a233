-- name: homes
-- Every residential building as numbers: where it stands and what it belongs to. One that names no estate or no grid
-- lies in the one that covers its centre.
SELECT
    b.fid, coalesce(b.area_code, ''), coalesce(b.households, 0), coalesce(b.persons, 0), ST_X(p.centre), ST_Y(p.centre),
    coalesce(b.estate_id, e.estate_id, ''), coalesce(b.grid_code, g.grid_code, '')
FROM layer.buildings AS b
CROSS JOIN LATERAL ST_Centroid(b.geom) AS p (centre)
-- The first of several by its code; an ORDER BY with LIMIT would walk the codes instead of the spatial index.
LEFT JOIN LATERAL (
    SELECT (array_agg(near.estate_id ORDER BY near.fid))[1] AS estate_id FROM layer.estates AS near
    WHERE b.estate_id IS NULL AND ST_Covers(near.geom, p.centre)
) AS e ON TRUE
LEFT JOIN LATERAL (
    SELECT (array_agg(near.grid_code ORDER BY near.grid_code))[1] AS grid_code FROM layer.grids AS near
    WHERE b.grid_code IS NULL AND b.households > 0 AND ST_Covers(near.geom, p.centre)
) AS g ON TRUE
WHERE (b.households > 0 OR b.use = 'residential') AND {scope}
ORDER BY coalesce(b.area_code, ''), b.fid;

-- name: services
SELECT
    f.fid, coalesce(f.area_code, ''), coalesce(f.name, f.facility_id), f.category, f.open_hours,
    ST_X(ST_Centroid(f.geom)), ST_Y(ST_Centroid(f.geom))
FROM layer.facilities AS f
WHERE f.category IS NOT NULL AND {scope}
ORDER BY f.fid;

-- name: estates
SELECT e.fid, e.estate_id, coalesce(e.name, e.estate_id), coalesce(e.area_code, ''), ST_AsBinary(e.geom)
FROM layer.estates AS e
WHERE {scope}
ORDER BY e.fid;

-- name: grids
SELECT g.fid, g.grid_code, coalesce(g.name, g.grid_no, g.grid_code), coalesce(g.area_code, '')
FROM layer.grids AS g
WHERE {scope}
ORDER BY g.grid_code;

-- name: areas
SELECT a.fid, a.area_code, a.name, coalesce(a.parent_code, '') AS parent_code, a.level
FROM layer.areas AS a
WHERE {scope}
ORDER BY a.area_code;

-- name: street_at
-- The named road nearest to a place, for a name that people know.
SELECT r.name
FROM layer.roads AS r
WHERE r.name IS NOT NULL AND {scope}
ORDER BY r.geom <-> ST_Point(%(lon)s, %(lat)s, 4490)
LIMIT 1;
