-- name: by_token
SELECT post, classes, areas, permissions FROM core.account
WHERE token_hash = %(token_hash)s AND disabled_at IS NULL AND expires_at > now();

-- name: add
INSERT INTO core.account (post, classes, areas, permissions, token_hash, expires_at)
VALUES (
    %(post)s, %(classes)s, %(areas)s, %(permissions)s, %(token_hash)s, now() + make_interval(days => %(days)s)
)
ON CONFLICT (post) DO UPDATE SET
    classes = excluded.classes,
    areas = excluded.areas,
    permissions = excluded.permissions,
    token_hash = excluded.token_hash,
    expires_at = excluded.expires_at,
    disabled_at = NULL;

-- name: disable
UPDATE core.account SET disabled_at = now() WHERE post = %(post)s AND disabled_at IS NULL;

-- name: all
SELECT post, classes, areas, permissions, created_at, expires_at, disabled_at FROM core.account ORDER BY post;

-- name: audit
SELECT core.audit_append(%(actor)s, %(action)s, %(detail)s);

-- name: audit_broken
-- The first entry whose hash does not follow from the one before; none when the log is whole.
SELECT seq FROM (
    SELECT
        seq,
        hash,
        core.audit_hash(lag(hash) OVER (ORDER BY seq), at, actor, action, detail) AS expected
    FROM core.audit
) AS chain
WHERE hash <> expected
ORDER BY seq LIMIT 1;
