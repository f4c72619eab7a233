-- Millions of closed events are counted when they are written, not when they are asked for: by kind, by day and area.
-- The numbers are those of the rows at any moment; triggers carry the difference that each statement makes.

-- the list, whatever is asked of it, in its own order
CREATE INDEX event_listed ON core.event (level DESC, reported_at DESC, fid DESC);

-- Closed events; the open ones are a few thousand and counted themselves.
CREATE TABLE core.event_kind_tally (
    area_code text NOT NULL,
    kind text NOT NULL,
    level smallint NOT NULL,
    state text NOT NULL,
    template text NOT NULL,
    source text NOT NULL,
    is_late boolean NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (area_code, kind, level, state, template, source, is_late)
);

-- Days of the city: what was reported on a day, and what was closed on it.
CREATE TABLE core.event_day_tally (
    day date NOT NULL,
    area_code text NOT NULL,
    n_reported bigint NOT NULL,
    n_closed bigint NOT NULL,
    n_timed bigint NOT NULL,
    n_on_time bigint NOT NULL,
    n_in_grid bigint NOT NULL,
    n_rated bigint NOT NULL,
    rating_sum bigint NOT NULL,
    n_disputes bigint NOT NULL,
    n_disputes_near bigint NOT NULL,
    PRIMARY KEY (day, area_code)
);

-- What a set of rows, each with a sign, adds to the tallies. In the order of the keys, so that of two writers one waits
-- for the other. A trigger's rows can be seen by its own statements only, hence texts.
CREATE FUNCTION core.tally_queries() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY[$query$
        INSERT INTO core.event_kind_tally AS t (area_code, kind, level, state, template, source, is_late, n)
        SELECT
            coalesce(r.area_code, ''), r.kind, r.level, r.state, r.template, r.source,
            (r.closed_at > r.deadline_at) IS TRUE, sum(r.sign)
        FROM (%s) AS r
        WHERE r.closed_at IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
        HAVING sum(r.sign) <> 0
        ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (area_code, kind, level, state, template, source, is_late) DO UPDATE SET n = t.n + excluded.n
$query$, $query$
        INSERT INTO core.event_day_tally AS t
        SELECT
            d.day, d.area_code, sum(d.reported), sum(d.closed), sum(d.timed), sum(d.on_time), sum(d.in_grid),
            sum(d.rated), sum(d.rating), sum(d.dispute), sum(d.dispute_near)
        FROM (
            SELECT
                (r.reported_at AT TIME ZONE 'Asia/Shanghai')::date AS day, coalesce(r.area_code, '') AS area_code,
                r.sign AS reported, 0 AS closed, 0 AS timed, 0 AS on_time, 0 AS in_grid, 0 AS rated, 0 AS rating,
                0 AS dispute, 0 AS dispute_near
            FROM (%1$s) AS r
            UNION ALL
            SELECT
                (r.closed_at AT TIME ZONE 'Asia/Shanghai')::date, coalesce(r.area_code, ''), 0, r.sign,
                r.sign * (r.deadline_at IS NOT NULL)::integer,
                r.sign * ((r.closed_at <= r.deadline_at) IS TRUE)::integer,
                r.sign * ((r.resolved_at_level = 'grid') IS TRUE)::integer,
                r.sign * (r.rating IS NOT NULL)::integer,
                r.sign * coalesce(r.rating, 0),
                r.sign * (r.template = 'dispute')::integer,
                r.sign * ((r.template = 'dispute' AND r.resolved_at_level IN ('grid', 'community')) IS TRUE)::integer
            FROM (%1$s) AS r
            WHERE r.closed_at IS NOT NULL
        ) AS d
        GROUP BY d.day, d.area_code
        HAVING
            sum(d.reported) <> 0 OR sum(d.closed) <> 0 OR sum(d.timed) <> 0 OR sum(d.on_time) <> 0
            OR sum(d.in_grid) <> 0 OR sum(d.rated) <> 0 OR sum(d.rating) <> 0 OR sum(d.dispute) <> 0
            OR sum(d.dispute_near) <> 0
        ORDER BY d.day, d.area_code
        ON CONFLICT (day, area_code) DO UPDATE SET
            n_reported = t.n_reported + excluded.n_reported,
            n_closed = t.n_closed + excluded.n_closed,
            n_timed = t.n_timed + excluded.n_timed,
            n_on_time = t.n_on_time + excluded.n_on_time,
            n_in_grid = t.n_in_grid + excluded.n_in_grid,
            n_rated = t.n_rated + excluded.n_rated,
            rating_sum = t.rating_sum + excluded.rating_sum,
            n_disputes = t.n_disputes + excluded.n_disputes,
            n_disputes_near = t.n_disputes_near + excluded.n_disputes_near
$query$];

CREATE FUNCTION core.tally_events() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_rows text := CASE tg_op
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, c.* FROM changed AS c'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, b.* FROM before AS b'
        ELSE 'SELECT 1 AS sign, c.* FROM changed AS c UNION ALL SELECT -1 AS sign, b.* FROM before AS b'
    END;
BEGIN
    IF tg_op = 'TRUNCATE' THEN
        DELETE FROM core.event_kind_tally;
        DELETE FROM core.event_day_tally;
        RETURN NULL;
    END IF;
    EXECUTE format((core.tally_queries())[1], v_rows);
    EXECUTE format((core.tally_queries())[2], v_rows);
    RETURN NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format((core.tally_queries())[1], 'SELECT 1 AS sign, e.* FROM core.event AS e');
    EXECUTE format((core.tally_queries())[2], 'SELECT 1 AS sign, e.* FROM core.event AS e');
END
$$;
ANALYZE core.event_kind_tally, core.event_day_tally;

CREATE TRIGGER event_tally_insert AFTER INSERT ON core.event REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION core.tally_events();
CREATE TRIGGER event_tally_update AFTER UPDATE ON core.event REFERENCING OLD TABLE AS before NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION core.tally_events();
CREATE TRIGGER event_tally_delete AFTER DELETE ON core.event REFERENCING OLD TABLE AS before
FOR EACH STATEMENT EXECUTE FUNCTION core.tally_events();
CREATE TRIGGER event_tally_truncate AFTER TRUNCATE ON core.event
FOR EACH STATEMENT EXECUTE FUNCTION core.tally_events();
