-- Posts on duty with their last position; a post off duty shows no place.
SELECT
    r.fid,
    r.area_code,
    r.responder_id,
    r.post,
    r.role,
    array_to_string(r.skills, ',') AS skills,
    r.on_duty,
    r.home_area,
    r.grid_code,
    w.at AS position_at,
    w.accuracy_m,
    r.n_tasks,
    w.geom
FROM core.responder AS r
INNER JOIN core.responder_position AS w ON r.responder_id = w.responder_id
WHERE r.on_duty;

-- name: write
BEGIN
    IF tg_op = 'DELETE' THEN -- noqa: LT02
        DELETE FROM core.responder WHERE fid = old.fid;
        RETURN old;
    END IF;
    INSERT INTO core.responder (responder_id, area_code, home_area, grid_code, post, role, skills, on_duty, n_tasks)
    VALUES (
        new.responder_id, new.area_code, coalesce(new.home_area, new.area_code), new.grid_code, new.post, new.role,
        coalesce(string_to_array(new.skills, ','), '{}'), coalesce(new.on_duty, TRUE), coalesce(new.n_tasks, 0)
    )
    ON CONFLICT (responder_id) DO UPDATE SET
        area_code = excluded.area_code, home_area = excluded.home_area, grid_code = excluded.grid_code,
        post = excluded.post, role = excluded.role, skills = excluded.skills, on_duty = excluded.on_duty,
        n_tasks = excluded.n_tasks
    RETURNING fid INTO new.fid;
    INSERT INTO core.responder_position (responder_id, at, accuracy_m, geom)
    VALUES (new.responder_id, coalesce(new.position_at, now()), new.accuracy_m, new.geom)
    ON CONFLICT (responder_id) DO UPDATE SET
        at = excluded.at, accuracy_m = excluded.accuracy_m, geom = excluded.geom;
    RETURN new;
END
