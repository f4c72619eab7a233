-- name: rows_of
-- The texts of a layer's rows in {source}: which one, and whether only few may find it.
SELECT f.fid, f.area_code, ({restricted}) AS restricted, v.place, v.value
FROM {source} AS f, {texts} AS v (place, value)

-- name: put
-- What can be typed to find the rows. A text of ASCII with a digit in it is a code: found by its beginning and its end.
-- Of other texts every two neighbouring characters become one number, so that an index finds any two characters inside;
-- the layer and the areas are numbers beside them. Written out here, since a function would be eight times slower.
INSERT INTO core.search (layer, fid, place, what, area_code, restricted, term, grams)
SELECT
    {layer}, t.fid, t.place, t.what, t.area_code, t.restricted, t.term,
    CASE
        WHEN t.what <> 'code' THEN ARRAY(
            SELECT (ascii(t.chars[i]) % 65536 - 32768) * 65536 + ascii(t.chars[i + 1]) % 65536
            FROM generate_series(1, cardinality(t.chars) - 1) AS i
        ) || ARRAY[
            core.search_mark({layer}), core.search_mark(left(t.area_code, 6)), core.search_mark(left(t.area_code, 9)),
            core.search_mark(left(t.area_code, 12))
        ]
    END
FROM (
    SELECT
        s.fid,
        s.area_code,
        s.restricted,
        s.place,
        s.term,
        string_to_array(s.term, NULL) AS chars,
        CASE WHEN s.term ~ '^[!-~]*[0-9][!-~]*$' THEN 'code' WHEN s.place = 0 THEN 'title' ELSE 'text' END AS what
    FROM (
        SELECT r.fid, r.area_code, r.restricted, r.place, left(core.search_term(r.value), 200) AS term
        FROM ({rows}) AS r
        OFFSET 0
    ) AS s
    WHERE s.term <> ''
    OFFSET 0
) AS t;

-- name: put_words
-- Words that no title had before, each in its usual reading and once more for each character that has a second one.
INSERT INTO core.search_word (word, pinyin, initials, readings)
SELECT
    c.word,
    string_agg(c.reading, '' ORDER BY c.place),
    string_agg(left(c.reading, 1), '' ORDER BY c.place),
    array_agg(c.reading ORDER BY c.place)
FROM (
    SELECT
        w.word,
        v.swapped,
        k.place,
        CASE WHEN k.place = v.swapped THEN p.readings[2] ELSE coalesce(p.readings[1], k.han) END AS reading
    FROM (
        SELECT DISTINCT found.word
        FROM ({rows}) AS r
        INNER JOIN regexp_split_to_table(left(core.search_term(r.value), 200), '[!-~]+') AS found (word) ON TRUE
        WHERE
            r.place = 0 AND found.word <> ''
            AND NOT EXISTS (SELECT FROM core.search_word AS known WHERE known.word = found.word)
    ) AS w
    INNER JOIN LATERAL (
        SELECT 0 AS swapped
        UNION ALL
        SELECT a.place::integer
        FROM unnest(string_to_array(w.word, NULL)) WITH ORDINALITY AS a (han, place)
        INNER JOIN core.pinyin AS q ON a.han = q.han AND cardinality(q.readings) = 2
    ) AS v ON TRUE
    CROSS JOIN LATERAL unnest(string_to_array(w.word, NULL)) WITH ORDINALITY AS k (han, place)
    LEFT JOIN core.pinyin AS p ON k.han = p.han
) AS c
GROUP BY c.word, c.swapped
ORDER BY c.word
ON CONFLICT DO NOTHING;

-- name: table_trigger
-- One statement on a layer's table, a few on the index: whatever was written, the index says the same.
BEGIN
    IF tg_op = 'TRUNCATE' THEN -- noqa: LT02
        DELETE FROM core.search WHERE layer = {layer};
        RETURN NULL;
    END IF;
    IF tg_op = 'UPDATE' THEN
        IF NOT EXISTS (
            (SELECT {watched} FROM new_rows AS f EXCEPT SELECT {watched} FROM old_rows AS f)
            UNION ALL (SELECT {watched} FROM old_rows AS f EXCEPT SELECT {watched} FROM new_rows AS f)
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF tg_op <> 'INSERT' THEN
        DELETE FROM core.search AS s USING old_rows AS o WHERE s.layer = {layer} AND s.fid = o.fid;
    END IF;
    IF tg_op <> 'DELETE' THEN
        {put_words}
        {put}
    END IF;
    RETURN NULL;
END

-- name: view_trigger
-- A layer that is a view: the rows with the numbers that were written are read from the view again.
BEGIN
    IF tg_op = 'TRUNCATE' THEN -- noqa: LT02
        DELETE FROM core.search WHERE layer = {layer};
        RETURN NULL;
    END IF;
    IF tg_op <> 'INSERT' THEN
        DELETE FROM core.search AS s USING old_rows AS o WHERE s.layer = {layer} AND s.fid = o.fid;
    END IF;
    IF tg_op <> 'DELETE' THEN
        {put_words}
        {put}
    END IF;
    RETURN NULL;
END

-- name: beside_trigger
-- What a view leans on besides its own rows (a plan that comes into force) may change which of them it shows.
BEGIN
    DELETE FROM core.search WHERE layer = {layer};
    {put_words}
    {put}
    RETURN NULL;
END

-- name: function
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {body}

-- name: on_insert
CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION {function}()

-- name: on_update
CREATE TRIGGER {name} AFTER UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION {function}()

-- name: on_delete
CREATE TRIGGER {name} AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION {function}()

-- name: on_truncate
CREATE TRIGGER {name} AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()

-- name: on_beside
CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()

-- name: drop_trigger
DROP TRIGGER IF EXISTS {name} ON {table}

-- name: bases
-- The tables below a view, and whether they carry the numbers of its rows.
SELECT DISTINCT
    n.nspname || '.' || c.relname,
    EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'fid' AND NOT a.attisdropped)
FROM pg_rewrite AS w
INNER JOIN pg_depend AS d ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
INNER JOIN pg_class AS c ON d.refobjid = c.oid AND d.refclassid = 'pg_class'::regclass AND c.relkind = 'r'
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
WHERE w.ev_class = to_regclass(%(relation)s)
ORDER BY 1;

-- name: state
-- What was last made of a layer, and how many triggers carry it.
SELECT obj_description(p.oid, 'pg_proc'), (SELECT count(*) FROM pg_trigger AS t WHERE t.tgfoid = p.oid)
FROM pg_proc AS p
WHERE p.oid = to_regproc(%(function)s);

-- name: note
COMMENT ON FUNCTION {function}() IS {checksum}

-- name: empty
DELETE FROM core.search WHERE layer = {layer};

-- name: index_begins
CREATE INDEX IF NOT EXISTS search_begins ON core.search (layer, term text_pattern_ops);

-- name: index_ends
CREATE INDEX IF NOT EXISTS search_ends ON core.search (layer, reverse(term) text_pattern_ops) WHERE what = 'code';

-- name: index_grams
-- A short list of what is not filed yet: eight times faster to write than none, and short enough to be read through.
CREATE INDEX IF NOT EXISTS search_grams
ON core.search USING gin (grams) WITH (gin_pending_list_limit = 1024) WHERE grams IS NOT NULL;

-- name: index_feature
CREATE INDEX IF NOT EXISTS search_feature ON core.search (layer, fid);

-- name: n_readings
SELECT count(*) FROM core.pinyin;

-- name: copy_readings
COPY core.pinyin (han, readings) FROM STDIN;

-- name: words
-- Words that letters may stand for: those that are read so first, then those that have such initials; short ones first.
SELECT w.word, w.readings
FROM core.search_word AS w
WHERE w.pinyin LIKE %(holds)s OR w.initials LIKE %(holds)s
ORDER BY w.pinyin LIKE %(begins)s OR w.initials LIKE %(begins)s DESC, length(w.word), w.word
LIMIT %(n_rows)s;

-- name: candidates
-- A few features of every layer and every way to read the question, each by one index. Titles that begin so come in
-- their order, so that the exact one is among them. The layer and the area stand in the grams too: text alone could
-- match a million rows. The index of grams is meant, hence no plain comparison of the layer beside it.
WITH layers AS (
    SELECT w.layer FROM unnest(%(layers)s::text[]) AS w (layer)
),

terms AS (
    SELECT t.number, t.term, t.high, t.reversed, t.reversed_high, t.grams::integer[] AS grams
    FROM unnest(
        %(numbers)s::integer[], %(terms)s::text[], %(highs)s::text[], %(reversed)s::text[], %(reversed_highs)s::text[],
        %(grams)s::text[]
    ) AS t (number, term, high, reversed, reversed_high, grams)
),

grounds AS (
    SELECT g.prefix, g.marks::integer[] AS marks FROM unnest(%(grounds)s::text[], %(marks)s::text[]) AS g (prefix, marks)
)

SELECT 'begins' AS how, t.number, f.*
FROM layers AS w
CROSS JOIN terms AS t
CROSS JOIN grounds AS g
CROSS JOIN LATERAL (
    SELECT s.layer, s.fid, s.place, s.what, s.term, s.area_code
    FROM core.search AS s
    WHERE
        s.layer = w.layer AND s.term ~>=~ t.term AND s.term ~<~ t.high
        AND coalesce(s.area_code, '') ^@ g.prefix AND {scope}
    ORDER BY s.term USING ~<~
    LIMIT %(most)s
) AS f
UNION ALL
SELECT 'ends' AS how, t.number, f.*
FROM layers AS w
INNER JOIN terms AS t ON t.reversed IS NOT NULL
CROSS JOIN grounds AS g
CROSS JOIN LATERAL (
    SELECT s.layer, s.fid, s.place, s.what, s.term, s.area_code
    FROM core.search AS s
    WHERE
        s.layer = w.layer AND s.what = 'code'
        AND reverse(s.term) ~>=~ t.reversed AND reverse(s.term) ~<~ t.reversed_high
        AND coalesce(s.area_code, '') ^@ g.prefix AND {scope}
    ORDER BY reverse(s.term) USING ~<~
    LIMIT %(most)s
) AS f
UNION ALL
SELECT 'holds' AS how, t.number, f.*
FROM layers AS w
INNER JOIN terms AS t ON cardinality(t.grams) > 0
CROSS JOIN grounds AS g
CROSS JOIN LATERAL (
    SELECT s.layer, s.fid, s.place, s.what, s.term, s.area_code
    FROM core.search AS s
    WHERE
        s.grams @> (t.grams || g.marks || core.search_mark(w.layer))
        AND strpos(s.term, t.term) > 0 AND s.layer || '' = w.layer
        AND coalesce(s.area_code, '') ^@ g.prefix AND {scope}
    LIMIT %(most)s
) AS f
UNION ALL
SELECT 'parts' AS how, 0, f.*
FROM layers AS w
CROSS JOIN grounds AS g
CROSS JOIN LATERAL (
    SELECT s.layer, s.fid, s.place, s.what, s.term, s.area_code
    FROM core.search AS s
    WHERE
        s.grams @> (%(part_grams)s::integer[] || g.marks || core.search_mark(w.layer))
        AND NOT EXISTS (SELECT FROM unnest(%(parts)s::text[]) AS p (part) WHERE strpos(s.term, p.part) = 0)
        AND s.layer || '' = w.layer
        AND coalesce(s.area_code, '') ^@ g.prefix AND {scope}
    LIMIT %(most)s
) AS f
WHERE cardinality(%(part_grams)s::integer[]) > 0;

-- name: in_scope
-- The same rows that the scope of the layer itself lets through; what is shown is read from the layer, and asked again.
(%(everywhere)s OR s.area_code ^@ ANY(%(areas)s::text[])) AND (%(sees_restricted)s OR NOT s.restricted)

-- name: events
-- Events by number, newest first, and open ones by title and place: some thousands, so they are looked through.
SELECT 'begins' AS how, t.number, f.*
FROM unnest(%(numbers_as)s::integer[], %(numbers_begin)s::text[], %(numbers_high)s::text[]) AS t (number, term, high)
CROSS JOIN LATERAL (
    SELECT 'events' AS layer, e.fid, 0 AS place, 'code' AS what, lower(translate(e.event_no, '- ', '')) AS term, e.area_code
    FROM core.event AS e
    WHERE translate(e.event_no, '- ', '') ~>=~ t.term AND translate(e.event_no, '- ', '') ~<~ t.high AND {scope}
    ORDER BY translate(e.event_no, '- ', '') USING ~>~
    LIMIT %(most)s
) AS f
UNION ALL
SELECT 'ends' AS how, t.number, f.*
FROM unnest(%(numbers_as)s::integer[], %(numbers_end)s::text[], %(numbers_end_high)s::text[]) AS t (number, term, high)
CROSS JOIN LATERAL (
    SELECT 'events' AS layer, e.fid, 0 AS place, 'code' AS what, lower(translate(e.event_no, '- ', '')) AS term, e.area_code
    FROM core.event AS e
    WHERE
        reverse(translate(e.event_no, '- ', '')) ~>=~ t.term AND reverse(translate(e.event_no, '- ', '')) ~<~ t.high
        AND {scope}
    LIMIT %(most)s
) AS f
UNION ALL
SELECT 'holds' AS how, 0, f.*
FROM (
    SELECT
        'events' AS layer, e.fid, 1 AS place, 'title' AS what,
        core.search_term(e.title || coalesce(e.place, '')) AS term, e.area_code
    FROM core.event AS e
    WHERE
        e.closed_at IS NULL AND {scope}
        AND core.search_term(e.title || coalesce(e.place, '')) LIKE ANY(%(patterns)s::text[])
    ORDER BY e.level DESC, e.reported_at DESC
    LIMIT %(most)s
) AS f;

-- name: found
-- What is shown of some features of one layer, read from the layer itself as the reader may see it.
SELECT
    {layer} AS layer, f.fid, {title} AS title, ARRAY[{texts}] AS texts, f.area_code, {grid} AS grid_code,
    ST_X(p.at), ST_Y(p.at), ST_XMin(f.geom), ST_YMin(f.geom), ST_XMax(f.geom), ST_YMax(f.geom)
FROM {relation} AS f
CROSS JOIN LATERAL (SELECT ST_PointOnSurface(f.geom) AS at) AS p
WHERE f.fid = ANY({fids}::bigint[]) AND {scope}

-- name: area_names
SELECT a.area_code, a.name FROM layer.areas AS a WHERE a.area_code = ANY(%(codes)s::text[]) AND {scope};

-- name: grid_numbers
SELECT g.grid_code, g.grid_no FROM layer.grids AS g WHERE g.grid_code = ANY(%(codes)s::text[]) AND {scope};
