-- Questions that take longer than a request: asked by any process, answered by any process, seen by all.

CREATE TABLE core.job (
    job_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    process text NOT NULL,
    inputs jsonb NOT NULL,
    -- the reader's rights when the job was asked for: results never show more than that
    scope jsonb NOT NULL,
    asked_by text,
    state text NOT NULL DEFAULT 'accepted'
    CHECK (state IN ('accepted', 'running', 'successful', 'failed', 'dismissed')),
    progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    message text,
    results jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    -- a runner that was killed stops writing this, and its job goes back into the queue
    seen_at timestamptz
);
CREATE INDEX job_waiting ON core.job (created_at) WHERE state = 'accepted';
CREATE INDEX job_created ON core.job (created_at DESC);
