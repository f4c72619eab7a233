-- What people type into the search box: one row for each text of a feature, kept beside the layers by triggers, and the
-- words that titles are made of with their pinyin. The triggers come with the layers, which know their fields
-- (store/search.py).

-- Readings without tones, the usual one first, at most two; filled from pypinyin's table.
CREATE TABLE core.pinyin (
    han text PRIMARY KEY,
    readings text[] NOT NULL
);

-- Each run of Chinese characters that stands in a title, in each way to read it: typed letters become characters here.
CREATE TABLE core.search_word (
    word text NOT NULL,
    pinyin text NOT NULL,
    initials text NOT NULL,
    readings text[] NOT NULL,
    PRIMARY KEY (word, pinyin)
);
CREATE INDEX search_word_pinyin ON core.search_word USING gin (pinyin gin_trgm_ops);

CREATE TABLE core.search (
    layer text NOT NULL,
    fid bigint NOT NULL,
    -- which of the feature's texts: 0 is its title
    place smallint NOT NULL,
    what text NOT NULL CHECK (what IN ('title', 'text', 'code')),
    area_code text,
    -- only readers with the restricted right may find it
    restricted boolean NOT NULL,
    term text NOT NULL,
    -- pairs of neighbouring characters, the layer and the areas, all as numbers; codes have none
    grams integer[]
);

-- A text as it is compared: half-width, small letters, no spaces or punctuation ('桂花坞 8 栋' is '桂花坞8栋').
CREATE FUNCTION core.search_term(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN lower(translate(normalize(p_text, NFKC), E' \t-_/\\.,:;()[]#''"&+·、。《》“”—–', '')); -- noqa: CP02

-- A word about the feature, not about its text: its layer or an area. They use numbers that stand for no characters.
CREATE FUNCTION core.search_mark(p_text text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN 24576 * 65536 + ('x' || left(md5(p_text), 4))::bit(16)::integer;

-- Events are millions and have their numbers only; their titles are looked through while they are open.
CREATE INDEX event_no_begins ON core.event (translate(event_no, '- ', '') text_pattern_ops);
CREATE INDEX event_no_ends ON core.event (reverse(translate(event_no, '- ', '')) text_pattern_ops);
