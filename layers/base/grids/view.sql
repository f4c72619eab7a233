-- The grids of the plans in force; management points are a layer of their own.
SELECT
    g.fid,
    g.area_code,
    g.grid_code,
    g.grid_no,
    g.name,
    g.grid_type,
    g.households,
    g.persons,
    g.in_band,
    g.officer_post,
    g.officer_phone,
    g.officer_post IS NULL AS vacant,
    g.n_informants,
    (SELECT count(*)::integer FROM core.grid AS m WHERE m.plan_id = g.plan_id AND m.parent_code = g.grid_code)
        AS n_management_points,
    p.title AS plan,
    p.valid_from,
    g.geom
FROM core.grid AS g
INNER JOIN core.grid_plan AS p ON g.plan_id = p.plan_id
WHERE
    g.grid_type <> 'micro'
    AND p.state = 'published'
    AND p.valid_from <= current_date
    AND (p.valid_to IS NULL OR p.valid_to > current_date);

-- name: write
-- Corrections go to the plan in force; an area without one gets a plan of its own. New plans come from scenarios.
DECLARE
    v_plan bigint;
BEGIN
    IF tg_op = 'DELETE' THEN
        DELETE FROM core.grid WHERE fid = old.fid;
        RETURN old;
    END IF;
    IF tg_op = 'UPDATE' THEN
        UPDATE core.grid SET
            area_code = new.area_code, grid_no = new.grid_no, name = new.name,
            grid_type = coalesce(new.grid_type, 'basic'), households = new.households, persons = new.persons,
            in_band = new.in_band, officer_post = new.officer_post, officer_phone = new.officer_phone,
            n_informants = new.n_informants, geom = new.geom
        WHERE fid = old.fid;
        RETURN new;
    END IF;
    v_plan := core.plan_in_force(left(new.grid_code, 12));
    INSERT INTO core.grid_code_ledger (grid_code, first_plan_id) VALUES (new.grid_code, v_plan) ON CONFLICT DO NOTHING;
    INSERT INTO core.grid (
        plan_id, grid_code, area_code, grid_no, name, grid_type, households, persons, in_band, officer_post,
        officer_phone, n_informants, geom
    ) VALUES (
        v_plan, new.grid_code, coalesce(new.area_code, left(new.grid_code, 12)),
        coalesce(new.grid_no, right(new.grid_code, 3)), new.name, coalesce(new.grid_type, 'basic'), new.households,
        new.persons, new.in_band, new.officer_post, new.officer_phone, new.n_informants, new.geom
    ) RETURNING fid INTO new.fid;
    RETURN new;
END
