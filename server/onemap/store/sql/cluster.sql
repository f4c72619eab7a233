-- The first steps in a cluster of our own.

-- name: postgis_offered
SELECT default_version FROM pg_available_extensions WHERE name = 'postgis';

-- name: has_database
SELECT 1 FROM pg_database WHERE datname = %(database)s;

-- name: create_database
CREATE DATABASE {database} TEMPLATE template0;

-- name: renew
-- Follows a PostGIS that the system's packages renewed.
ALTER EXTENSION postgis UPDATE;
