-- name: rows
SELECT {fields}, ST_AsBinary(f.geom) AS geom
FROM {relation} AS f
WHERE {within} AND {scope}
ORDER BY f.fid;

-- name: near_area
-- What an area's analysis needs of the ground around it: everything that touches its box, widened by a margin.
SELECT
    ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box)
FROM (
    SELECT
        ST_Expand(
            a.geom::box2d,
            %(margin_m)s / (111320.0 * cos(radians(ST_Y(ST_Centroid(a.geom))))),
            %(margin_m)s / 110574.0
        ) AS box
    FROM core.area AS a WHERE a.area_code = %(area_code)s
) AS widened;

-- name: boundary
SELECT ST_AsBinary(a.geom) FROM core.area AS a WHERE a.area_code = %(area_code)s AND {scope};
