-- name: visible
SELECT e.responder_id FROM core.responder AS e WHERE {scope};

-- name: roster
-- Every post that the reader may see, also those off duty: who was passed over, and why, is part of the answer.
SELECT
    e.responder_id, e.post, e.role, e.skills, e.on_duty, coalesce(e.home_area, e.area_code, ''),
    coalesce(e.grid_code, ''), e.n_tasks, w.at, ST_X(w.geom), ST_Y(w.geom)
FROM core.responder AS e
LEFT JOIN core.responder_position AS w ON e.responder_id = w.responder_id AND e.on_duty
WHERE {scope}
ORDER BY e.responder_id;
