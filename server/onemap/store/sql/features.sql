-- name: item
-- One feature as GeoJSON text.
SELECT {feature} FROM {table} AS f WHERE f.fid = %(fid)s AND {scope};

-- name: counted
-- What matches is found once, by number only: counted, and paged from the same set. The set is bounded, so that a box
-- around the whole country costs no more than {bound} index entries; a larger set is walked instead. OFFSET 0 keeps the
-- planner to one index look-up a feature, whatever it believes about the size of the page. The offset stands in the
-- text: behind a parameter the planner would believe in a long way to go, and plan every time anew.
WITH hit AS MATERIALIZED (
    SELECT f.fid{sort_columns} FROM {table} AS f WHERE /*where*/ LIMIT {bound}
),

page AS (
    SELECT h.* FROM hit AS h WHERE /*after*/ ORDER BY {order} LIMIT {more} OFFSET /*offset*/
),

shown AS (
    SELECT p.* FROM page AS p ORDER BY {order} LIMIT {limit}
)

SELECT
    (SELECT count(*) FROM hit) AS n_matched,
    (SELECT count(*) FROM page) AS n_page,
    (SELECT json_build_array({cursor}) FROM shown AS s ORDER BY {order_back} LIMIT 1) AS last_seen,
    (
        SELECT string_agg({feature}, ',' ORDER BY {order_shown})
        FROM shown AS s
        CROSS JOIN LATERAL (SELECT t.* FROM {table} AS t WHERE t.fid = s.fid OFFSET 0) AS f
    ) AS features;

-- name: walked
-- A page straight off the index: for whole layers, and for filters that match more than is worth counting.
WITH page AS (
    SELECT f.*{sort_columns} FROM {table} AS f
    WHERE /*where*/ AND /*after*/ ORDER BY {order} LIMIT {more} OFFSET /*offset*/
),

shown AS (
    SELECT p.* FROM page AS p ORDER BY {order} LIMIT {limit}
)

SELECT
    /*total*/ AS n_matched,
    (SELECT count(*) FROM page) AS n_page,
    (SELECT json_build_array({cursor}) FROM shown AS s ORDER BY {order_back} LIMIT 1) AS last_seen,
    (SELECT string_agg({feature}, ',' ORDER BY {order_whole}) FROM shown AS f) AS features;

-- name: total
-- How many rows a table has: counted up to the bound, below zero when estimated.
(
    SELECT
        CASE
            WHEN c.reltuples > {bound} THEN -c.reltuples::bigint
            ELSE (SELECT count(*) FROM (SELECT FROM {table} LIMIT {bound}) AS n)
        END
    FROM pg_class AS c WHERE c.oid = {relation}::regclass
)

-- name: bounded
-- How many rows there are, counted up to the bound.
(SELECT count(*) FROM (SELECT FROM {table} AS f WHERE /*where*/ LIMIT {bound}) AS n)

-- name: estimate
-- The planner's idea of how many rows match.
EXPLAIN (FORMAT JSON) SELECT FROM {table} AS f WHERE /*where*/;

-- name: bounds_of_table
-- The spatial index knows its own extent.
SELECT ST_XMin(b.box), ST_YMin(b.box), ST_XMax(b.box), ST_YMax(b.box)
FROM (SELECT ST_EstimatedExtent('layer', {name}, 'geom') AS box WHERE EXISTS (SELECT FROM {table})) AS b;

-- name: bounds_of_rows
SELECT ST_XMin(b.box), ST_YMin(b.box), ST_XMax(b.box), ST_YMax(b.box)
FROM (SELECT ST_Extent(f.geom) AS box FROM {table} AS f WHERE {scope}) AS b;

-- name: times
SELECT min(f.{time})::timestamptz, max(f.{time})::timestamptz FROM {table} AS f WHERE {scope};

-- name: turned
-- A box in metres as a polygon in degrees, its sides bent as they are on the ground.
SELECT ST_Transform(
    ST_Segmentize(
        ST_MakeEnvelope(%(w)s::float8, %(s)s::float8, %(e)s::float8, %(n)s::float8, %(srid)s::integer), %(step)s::float8
    ), 4490
);
