-- name: count
SELECT count(*) FROM (SELECT 1 FROM {relation} AS f WHERE {scope} LIMIT {most}) AS bounded;

-- name: count_in_box
-- Bounded, so that a view of the whole city costs no more than the bound.
SELECT count(*) FROM (
    SELECT 1 FROM {relation} AS f
    WHERE f.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490) AND {shown} AND {scope}
    LIMIT {most}
) AS bounded;

-- name: classes_in_box
-- The same by the classes of the legend.
SELECT c.class, count(*) FROM (
    SELECT {field}::text AS class FROM {relation} AS f
    WHERE f.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490) AND {shown} AND {scope}
    LIMIT {most}
) AS c
GROUP BY 1;

-- name: bounds
-- From the index' statistics where there are some; exact extents scan millions of rows.
SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
FROM (SELECT ST_EstimatedExtent(%(schema)s, %(name)s, 'geom') AS e) AS estimate
WHERE e IS NOT NULL;

-- name: base
-- The table below a view that holds its rows and their geometry.
SELECT n.nspname, c.relname
FROM pg_rewrite AS w
INNER JOIN pg_depend AS d ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
INNER JOIN pg_class AS c ON d.refobjid = c.oid AND d.refclassid = 'pg_class'::regclass AND c.relkind = 'r'
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND a.attname = 'geom' AND NOT a.attisdropped
WHERE w.ev_class = to_regclass(%(relation)s)
LIMIT 1;

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
