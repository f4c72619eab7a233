-- name: lock
-- One demo city at a time; a second loader waits and then finds the work done.
SELECT pg_advisory_xact_lock(hashtext('onemap.demo'));

-- name: columns
-- The columns of every table the loader may write, and which of them hold multipolygons.
SELECT
    n.nspname || '.' || c.relname AS name,
    array_agg(a.attname::text) AS columns,
    coalesce(bool_or(format_type(a.atttypid, a.atttypmod) ILIKE 'geometry(MultiPolygon%%'), FALSE) AS multi
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND (n.nspname = 'layer' OR (n.nspname = 'core' AND c.relname = any(%(core)s)))
GROUP BY 1;

-- name: meta
SELECT value FROM core.meta WHERE key = 'demo';

-- name: forget
DELETE FROM core.meta WHERE key = 'demo';

-- name: note
INSERT INTO core.meta (key, value) VALUES ('demo', %(value)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: count
SELECT count(*) FROM {table};

-- name: any
SELECT count(*) > 0 FROM (SELECT 1 FROM {table} LIMIT 1) AS first;

-- name: truncate
TRUNCATE {tables} RESTART IDENTITY CASCADE;

-- name: foreign_keys
-- Foreign keys from or to the tables: checked once at the end instead of row by row.
SELECT c.conrelid::regclass::text, c.conname::text, pg_get_constraintdef(c.oid)
FROM pg_constraint AS c
WHERE c.contype = 'f' AND (c.conrelid = any(%(tables)s::regclass[]) OR c.confrelid = any(%(tables)s::regclass[]));

-- name: keys
-- Primary keys and unique constraints: sorted and built once, faster than grown row by row.
SELECT c.conrelid::regclass::text, c.conname::text, pg_get_constraintdef(c.oid)
FROM pg_constraint AS c
WHERE c.contype IN ('p', 'u') AND c.conrelid = any(%(tables)s::regclass[]);

-- name: indexes
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
WHERE
    i.indrelid = any(%(tables)s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid);

-- name: copy
-- The tables were emptied in this transaction, so rows can be written as frozen: no later rewrite of every page.
COPY {table} ({columns}) FROM STDIN (FORMAT csv, FREEZE);

-- name: plan_sequence
SELECT setval(pg_get_serial_sequence('core.grid_plan', 'plan_id'), greatest(max(p.plan_id), 1))
FROM core.grid_plan AS p;

-- name: analyze
ANALYZE {table};

-- name: streets
-- What responders walk on.
SELECT ST_AsBinary(r.geom) FROM layer.roads AS r WHERE r.foot AND r.area_code LIKE %(area)s || '%%';

-- name: on_duty
-- Posts on duty, each with a place in the middle of its ground.
SELECT
    r.responder_id,
    r.role,
    ST_X(coalesce(ST_PointOnSurface(g.geom), w.geom)) AS lon,
    ST_Y(coalesce(ST_PointOnSurface(g.geom), w.geom)) AS lat
FROM core.responder AS r
INNER JOIN core.responder_position AS w ON r.responder_id = w.responder_id
LEFT JOIN layer.grids AS g ON r.grid_code = g.grid_code
WHERE r.on_duty AND r.area_code LIKE %(area)s || '%%'
ORDER BY r.responder_id;

-- name: move
-- New places for many posts in one statement; rows keep their page (HOT).
UPDATE core.responder_position AS w
SET at = %(at)s, geom = ST_SetSRID(ST_MakePoint(m.lon, m.lat), 4490)
FROM unnest(%(ids)s::text[], %(lon)s::double precision[], %(lat)s::double precision[]) AS m (responder_id, lon, lat)
WHERE w.responder_id = m.responder_id;
