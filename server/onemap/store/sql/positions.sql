-- name: posts
-- The posts that a reporter may report for, and whether they are on duty.
SELECT e.responder_id, e.on_duty FROM core.responder AS e WHERE e.responder_id = any(%(ids)s) AND {scope};

-- name: kept_before
-- Which of these reports are kept already. LATERAL with LIMIT: a look into each day's index, never a scan of the days.
SELECT n.client_id, n.seq
FROM unnest(%(clients)s::text[], %(seqs)s::bigint[]) AS n (client_id, seq)
CROSS JOIN LATERAL ( -- noqa: ST05
    SELECT p.at FROM core.position AS p WHERE p.client_id = n.client_id AND p.seq = n.seq LIMIT 1
) AS found;

-- name: ensure_day
SELECT core.ensure_position_day(%(day)s);

-- name: drop_days
SELECT core.drop_position_days(%(before)s);

-- name: append
COPY core.position (client_id, seq, responder_id, at, received_at, lon, lat, accuracy_m) FROM STDIN;

-- name: latest
-- The newest place of each post; one that arrives late changes nothing. In the order of ids, so that two writers of the
-- same posts wait for each other instead of locking each other out. Rows keep their page (HOT).
INSERT INTO core.responder_position (responder_id, at, accuracy_m, geom)
SELECT m.responder_id, m.at, m.accuracy_m, ST_SetSRID(ST_MakePoint(m.lon, m.lat), 4490)
FROM
    unnest(
        %(ids)s::text[], %(at)s::timestamptz[], %(accuracy_m)s::float8[], %(lon)s::float8[], %(lat)s::float8[]
    ) AS m (responder_id, at, accuracy_m, lon, lat)
ORDER BY m.responder_id
ON CONFLICT (responder_id) DO UPDATE SET
    at = excluded.at, accuracy_m = excluded.accuracy_m, geom = excluded.geom
WHERE core.responder_position.at < excluded.at;
