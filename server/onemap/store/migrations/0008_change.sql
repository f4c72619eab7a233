-- What happened to events, in the order in which it became visible, so that a reader who was away can catch up.

CREATE SEQUENCE core.change_seq;

CREATE TABLE core.change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- given when the transaction commits, so that a lower number never appears after a higher one was read
    seq bigint UNIQUE,
    -- null: more changed at once than is told one by one
    event_no text,
    -- where the event was before: who could see it then must hear that it is gone
    area_code text,
    at timestamptz NOT NULL DEFAULT now()
);

-- Statement by statement, and at most some thousands in a transaction: an import of millions says 'reset' once.
CREATE FUNCTION core.note_changes() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    c_most CONSTANT integer := 2000;
    v_said integer := coalesce(nullif(current_setting('onemap.n_changes', TRUE), ''), '0')::integer;
    v_now integer := c_most + 1;
BEGIN
    IF v_said > c_most THEN
        RETURN NULL;
    END IF;
    IF tg_op IN ('UPDATE', 'DELETE') THEN
        SELECT count(*) INTO v_now FROM (SELECT FROM before LIMIT c_most - v_said + 1) AS b;
    ELSIF tg_op = 'INSERT' THEN
        SELECT count(*) INTO v_now FROM (SELECT FROM changed LIMIT c_most - v_said + 1) AS c;
    END IF;
    v_said := v_said + v_now;
    PERFORM set_config('onemap.n_changes', v_said::text, TRUE);
    IF v_said > c_most THEN
        INSERT INTO core.change (event_no) VALUES (NULL);
        RETURN NULL;
    END IF;
    IF tg_op IN ('UPDATE', 'DELETE') THEN
        INSERT INTO core.change (event_no, area_code) SELECT b.event_no, b.area_code FROM before AS b;
    END IF;
    IF tg_op = 'INSERT' THEN
        INSERT INTO core.change (event_no) SELECT c.event_no FROM changed AS c;
    ELSIF tg_op = 'UPDATE' THEN
        INSERT INTO core.change (event_no)
        SELECT c.event_no FROM changed AS c WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.event_no = c.event_no);
    END IF;
    RETURN NULL;
END
$$;

-- At the end of a transaction: those who number wait for each other, and what is numbered first is seen first.
CREATE FUNCTION core.number_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('core.change'));
    UPDATE core.change SET seq = nextval('core.change_seq') WHERE change_id = new.change_id;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER change_numbered AFTER INSERT ON core.change
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION core.number_change();

CREATE TRIGGER event_added AFTER INSERT ON core.event
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.note_changes();
CREATE TRIGGER event_changed AFTER UPDATE ON core.event
REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core.note_changes();
CREATE TRIGGER event_deleted AFTER DELETE ON core.event
REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION core.note_changes();
CREATE TRIGGER event_emptied AFTER TRUNCATE ON core.event
FOR EACH STATEMENT EXECUTE FUNCTION core.note_changes();
