-- Events with what is computed, never stored: open and overdue.
SELECT
    e.fid,
    e.area_code,
    e.event_no,
    e.title,
    e.kind,
    e.level::integer AS level,
    e.state,
    e.template,
    e.source,
    e.place,
    e.grid_code,
    e.reported_at,
    e.deadline_at,
    e.closed_at,
    (coalesce(e.closed_at, now()) > e.deadline_at) AS overdue,
    (e.closed_at IS NULL) AS is_open,
    e.geom
FROM core.event AS e;

-- name: write
BEGIN
    IF tg_op = 'DELETE' THEN -- noqa: LT02
        DELETE FROM core.event WHERE fid = old.fid;
        RETURN old;
    END IF;
    IF tg_op = 'UPDATE' THEN
        UPDATE core.event SET
            area_code = new.area_code, grid_code = new.grid_code, title = new.title, kind = coalesce(new.kind, 'other'),
            level = new.level, state = new.state, template = coalesce(new.template, 'service'),
            source = coalesce(new.source, 'resident'), place = new.place, reported_at = new.reported_at,
            deadline_at = new.deadline_at, closed_at = new.closed_at, geom = new.geom,
            h3_10 = NULL -- it may have moved; whoever imports gives it a cell again
        WHERE fid = old.fid;
        RETURN new;
    END IF;
    INSERT INTO core.event (
        event_no, area_code, grid_code, title, kind, level, state, template, source, place, reported_at, deadline_at,
        closed_at, geom
    ) VALUES (
        new.event_no, new.area_code, new.grid_code, coalesce(new.title, new.event_no), coalesce(new.kind, 'other'),
        new.level, new.state, coalesce(new.template, 'service'), coalesce(new.source, 'resident'), new.place,
        new.reported_at, new.deadline_at, new.closed_at, new.geom
    ) RETURNING fid INTO new.fid;
    RETURN new;
END
