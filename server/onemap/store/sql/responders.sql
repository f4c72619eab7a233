-- name: visible
SELECT e.responder_id FROM core.responder AS e WHERE {scope};

-- name: roster
-- Every post that the reader may see, also those off duty: who was passed over, and why, is part of the answer.
-- One JSON array a column, in the order of ids.
SELECT
    coalesce(json_agg(r.responder_id), '[]')::text, coalesce(json_agg(r.post), '[]')::text,
    coalesce(json_agg(r.role), '[]')::text, coalesce(json_agg(r.skills), '[]')::text,
    coalesce(json_agg(r.on_duty), '[]')::text, coalesce(json_agg(r.area), '[]')::text,
    coalesce(json_agg(r.grid_code), '[]')::text, coalesce(json_agg(r.n_tasks), '[]')::text,
    coalesce(json_agg(r.at_us), '[]')::text, coalesce(json_agg(r.lon), '[]')::text,
    coalesce(json_agg(r.lat), '[]')::text
FROM (
    SELECT
        e.responder_id, e.post, e.role, e.skills, e.on_duty, coalesce(e.home_area, e.area_code, '') AS area,
        coalesce(e.grid_code, '') AS grid_code, e.n_tasks, (extract(EPOCH FROM w.at) * 1000000)::bigint AS at_us,
        ST_X(w.geom) AS lon, ST_Y(w.geom) AS lat
    FROM core.responder AS e
    LEFT JOIN core.responder_position AS w ON e.responder_id = w.responder_id AND e.on_duty
    WHERE {scope}
    ORDER BY e.responder_id
) AS r;
