-- Where posts on duty were: appended day by day, so that letting a day go is dropping a table.

CREATE TABLE core.position (
    -- the handset's or gateway's own id, and its number of the report: sent twice, kept once
    client_id text NOT NULL,
    seq bigint NOT NULL,
    responder_id text NOT NULL,
    -- when it was there, and when we heard of it
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    accuracy_m double precision,
    PRIMARY KEY (client_id, seq, at)
) PARTITION BY RANGE (at);
CREATE INDEX position_track ON core.position (responder_id, at);

-- The partition of a day (UTC), made where it is missing.
CREATE FUNCTION core.ensure_position_day(p_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_name text := 'position_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF to_regclass(format('core.%I', v_name)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('core.position'));
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS core.%I PARTITION OF core.position FOR VALUES FROM (%L) TO (%L)',
        v_name, p_day || ' 00:00+00', p_day + 1 || ' 00:00+00'
    );
END
$$;

-- Days before a day are let go; their names.
CREATE FUNCTION core.drop_position_days(p_before date) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('core.position'));
    FOR v_name IN
        SELECT c.relname
        FROM pg_inherits AS i
        INNER JOIN pg_class AS c ON i.inhrelid = c.oid
        WHERE i.inhparent = 'core.position'::regclass AND c.relname < 'position_' || to_char(p_before, 'YYYYMMDD')
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE core.%I', v_name);
        RETURN NEXT v_name;
    END LOOP;
END
$$;
