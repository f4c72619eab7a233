-- name: submit
INSERT INTO core.job (process, inputs, scope, asked_by)
VALUES (%(process)s, %(inputs)s, %(scope)s, %(asked_by)s)
RETURNING job_id;

-- name: claim
-- The oldest waiting job, or one whose runner fell silent; SKIP LOCKED lets runners pass each other.
UPDATE core.job SET state = 'running', started_at = coalesce(started_at, now()), seen_at = now(), progress = 0
WHERE
    job_id = (
        SELECT job_id FROM core.job
        WHERE
            process = ANY(%(processes)s)
            AND (state = 'accepted' OR (state = 'running' AND seen_at < now() - make_interval(secs => %(silence_s)s)))
        ORDER BY created_at LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
RETURNING job_id, process, inputs, scope;

-- name: progress
UPDATE core.job SET progress = %(progress)s, message = %(message)s, seen_at = now()
WHERE job_id = %(job_id)s AND state = 'running'
RETURNING job_id;

-- name: beat
UPDATE core.job SET seen_at = now() WHERE job_id = %(job_id)s AND state = 'running';

-- name: finish
UPDATE core.job SET
    state = %(state)s, results = %(results)s, message = %(message)s, finished_at = now(), seen_at = now(),
    progress = CASE WHEN %(state)s = 'successful' THEN 100 ELSE progress END
WHERE job_id = %(job_id)s AND state = 'running';

-- name: dismiss
UPDATE core.job SET state = 'dismissed', finished_at = coalesce(finished_at, now()), results = NULL
WHERE job_id = %(job_id)s AND state <> 'dismissed' AND {mine}
RETURNING job_id;

-- name: one
SELECT {fields} FROM core.job WHERE job_id = %(job_id)s AND {mine};

-- name: many
SELECT {fields} FROM core.job WHERE {mine} ORDER BY created_at DESC, job_id ASC LIMIT %(n_rows)s OFFSET %(n_before)s;

-- name: results
SELECT results FROM core.job WHERE job_id = %(job_id)s AND {mine};

-- name: purge
DELETE FROM core.job WHERE finished_at < now() - make_interval(days => %(days)s);
