-- name: bounded_count
SELECT count(*) FROM (SELECT 1 AS one FROM {relation} AS f WHERE {matching} LIMIT {bound}) AS first;

-- name: sums
-- Over the same rows that are counted: a sum of a part would be taken for the whole.
SELECT count(*), {sums}
FROM (SELECT f.* FROM {relation} AS f WHERE {matching} LIMIT {bound}) AS f;

-- name: page
SELECT f.fid, {fields}, ST_X({spot}) AS lon, ST_Y({spot}) AS lat
FROM {relation} AS f
WHERE {matching} AND f.fid > %(behind)s
ORDER BY f.fid
LIMIT %(n_rows)s;

-- name: rows
SELECT {fields}, ST_X({spot}) AS lon, ST_Y({spot}) AS lat, ST_AsBinary(f.geom) AS geom
FROM {relation} AS f
WHERE {matching}
ORDER BY f.fid;

-- name: area_name
SELECT a.name FROM core.area AS a WHERE a.area_code = %(area_code)s AND {scope};
