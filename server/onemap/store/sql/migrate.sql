-- name: prepare
CREATE SCHEMA IF NOT EXISTS core;
CREATE SCHEMA IF NOT EXISTS layer;
CREATE TABLE IF NOT EXISTS core.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: extensions
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- name: versions
SELECT
    current_setting('server_version_num')::integer / 10000,
    (SELECT extversion FROM pg_extension WHERE extname = 'postgis');

-- name: applied
SELECT number, checksum FROM core.migration ORDER BY number;

-- name: record
INSERT INTO core.migration (number, name, checksum) VALUES (%(number)s, %(name)s, %(checksum)s);

-- name: lock
-- Two processes that start at once migrate one after the other.
SELECT pg_advisory_xact_lock(hashtext('onemap.migrate'));

-- name: columns
SELECT a.attname, format_type(a.atttypid, NULL), coalesce(postgis_typmod_type(nullif(a.atttypmod, -1)), '')
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(%(relation)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: kind
SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%(relation)s);
