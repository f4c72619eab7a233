-- The management points of the plans in force: micro grids inside a grid.
SELECT
    g.fid,
    g.area_code,
    g.grid_code AS point_code,
    g.parent_code AS grid_code,
    g.households,
    g.persons,
    g.geom
FROM core.grid AS g
INNER JOIN core.grid_plan AS p ON g.plan_id = p.plan_id
WHERE
    g.grid_type = 'micro'
    AND p.state = 'published'
    AND p.valid_from <= current_date
    AND (p.valid_to IS NULL OR p.valid_to > current_date);

-- name: write
BEGIN
    IF tg_op = 'DELETE' THEN -- noqa: LT02
        DELETE FROM core.grid WHERE fid = old.fid;
        RETURN old;
    END IF;
    IF tg_op = 'UPDATE' THEN
        UPDATE core.grid SET
            area_code = new.area_code, parent_code = new.grid_code, households = new.households,
            persons = new.persons, geom = new.geom
        WHERE fid = old.fid;
        RETURN new;
    END IF;
    INSERT INTO core.grid (plan_id, grid_code, parent_code, area_code, grid_type, households, persons, geom)
    VALUES (
        core.plan_in_force(left(new.point_code, 12)), new.point_code, coalesce(new.grid_code, left(new.point_code, 15)),
        coalesce(new.area_code, left(new.point_code, 12)), 'micro', new.households, new.persons, new.geom
    ) RETURNING fid INTO new.fid;
    RETURN new;
END
