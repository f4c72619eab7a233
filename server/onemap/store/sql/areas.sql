-- name: tree
SELECT
    a.area_code, a.name, a.level, a.parent_code, a.households, a.persons,
    ST_XMin(a.geom), ST_YMin(a.geom), ST_XMax(a.geom), ST_YMax(a.geom)
FROM layer.areas AS a
WHERE {scope}
ORDER BY a.area_code;

-- name: grids
SELECT
    g.grid_code, g.grid_no, g.name, g.households, g.persons, g.in_band, g.vacant,
    ST_XMin(g.geom), ST_YMin(g.geom), ST_XMax(g.geom), ST_YMax(g.geom)
FROM layer.grids AS g
WHERE starts_with(g.area_code, %(area)s) AND {scope}
ORDER BY g.grid_code;
