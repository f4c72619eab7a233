-- name: count
SELECT count(*) FROM (SELECT 1 FROM {relation} AS f WHERE {scope} LIMIT {most}) AS bounded;

-- name: count_in_box
-- Bounded, so that a view of the whole city costs no more than the bound.
SELECT count(*) FROM (
    SELECT 1 FROM {relation} AS f
    WHERE f.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490) AND {shown} AND {scope}
    LIMIT {most}
) AS bounded;

-- name: bounds
-- From the index' statistics where there are some; exact extents scan millions of rows.
SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
FROM (SELECT ST_EstimatedExtent('layer', %(name)s, 'geom') AS e) AS estimate
WHERE e IS NOT NULL;

-- name: bounds_exact
SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
FROM (SELECT ST_Extent(f.geom) AS e FROM {relation} AS f) AS extent
WHERE e IS NOT NULL;

-- name: feature
SELECT
    {fields},
    ST_X(ST_PointOnSurface(f.geom)), ST_Y(ST_PointOnSurface(f.geom)),
    ST_XMin(f.geom), ST_YMin(f.geom), ST_XMax(f.geom), ST_YMax(f.geom)
FROM {relation} AS f
WHERE f.fid = %(fid)s AND {scope};

-- name: meta
SELECT value FROM core.meta WHERE key = %(key)s;
