-- name: lock
-- The event, held until this transaction ends, so that two desks do not send two posts.
SELECT e.state FROM core.event AS e WHERE e.event_no = %(event_no)s AND {scope} FOR UPDATE;

-- name: post
-- The post and whether it can be sent, held so that its number of tasks stays true.
SELECT e.post, e.on_duty FROM core.responder AS e WHERE e.responder_id = %(responder_id)s AND {scope} FOR UPDATE;

-- name: asked_before
SELECT d.event_no, d.responder_id, d.seq, d.at
FROM core.dispatch AS d
WHERE d.actor = %(actor)s AND d.client_id = %(client_id)s;

-- name: act
-- The next step of an event's history; its number.
INSERT INTO core.event_action (event_no, seq, action, to_state, actor_post, note, at)
SELECT
    %(event_no)s,
    coalesce(max(a.seq), 0) + 1,
    %(doing)s,
    %(to_state)s,
    %(actor)s,
    %(remark)s,
    %(at)s
FROM core.event_action AS a
WHERE a.event_no = %(event_no)s
RETURNING seq;

-- name: last_step
SELECT max(a.seq) FROM core.event_action AS a WHERE a.event_no = %(event_no)s;

-- name: set_state
UPDATE core.event SET state = %(to_state)s WHERE event_no = %(event_no)s;

-- name: send
INSERT INTO core.dispatch (event_no, seq, responder_id, actor, client_id, state_before, at)
VALUES (%(event_no)s, %(seq)s, %(responder_id)s, %(actor)s, %(client_id)s, %(state_before)s, %(at)s);

-- name: add_task
UPDATE core.responder SET n_tasks = n_tasks + 1 WHERE responder_id = %(responder_id)s;

-- name: sent
SELECT d.responder_id, d.actor, d.state_before, d.at, d.undone_at
FROM core.dispatch AS d
WHERE d.event_no = %(event_no)s AND d.seq = %(seq)s;

-- name: undo
UPDATE core.dispatch SET undone_at = %(at)s, ended_at = %(at)s WHERE event_no = %(event_no)s AND seq = %(seq)s;

-- name: drop_task
UPDATE core.responder SET n_tasks = greatest(n_tasks - 1, 0) WHERE responder_id = %(responder_id)s;
