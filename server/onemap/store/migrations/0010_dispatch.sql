-- Who was sent to which event: one row for each sending, beside the step in the event's history.

CREATE TABLE core.dispatch (
    event_no text NOT NULL,
    -- the step of the history that says so
    seq smallint NOT NULL,
    responder_id text NOT NULL,
    actor text NOT NULL,
    -- the asker's own number for the request: asked twice, done once
    client_id text NOT NULL,
    state_before text NOT NULL,
    at timestamptz NOT NULL,
    undone_at timestamptz,
    -- when the post's work on it ended: undone, or the event closed
    ended_at timestamptz,
    PRIMARY KEY (event_no, seq),
    FOREIGN KEY (event_no, seq) REFERENCES core.event_action ON DELETE CASCADE,
    UNIQUE (actor, client_id)
);
CREATE INDEX dispatch_open ON core.dispatch (event_no) WHERE ended_at IS NULL;
