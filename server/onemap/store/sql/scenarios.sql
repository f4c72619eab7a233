-- name: add
INSERT INTO core.scenario (area_code, name, rule_set, report)
VALUES (%(area_code)s, %(name)s, %(rule_set)s, %(report)s)
ON CONFLICT (area_code, name) DO UPDATE
    SET
        rule_set = excluded.rule_set,
        report = excluded.report,
        created_at = now()
RETURNING scenario_id;

-- name: clear
DELETE FROM core.scenario_grid WHERE scenario_id = %(scenario_id)s;

-- name: clear_buildings
DELETE FROM core.scenario_building WHERE scenario_id = %(scenario_id)s;

-- name: add_grid
INSERT INTO core.scenario_grid (scenario_id, grid, households, persons, n_buildings, in_band, polsby_popper, geom)
VALUES (
    %(scenario_id)s, %(grid)s, %(households)s, %(persons)s, %(n_buildings)s, %(in_band)s, %(polsby_popper)s,
    ST_Multi(ST_GeomFromWKB(%(wkb)s, 4490))
);

-- name: add_buildings
INSERT INTO core.scenario_building (scenario_id, building_id, grid)
SELECT %(scenario_id)s, b.building_id, b.grid
FROM unnest(%(building_ids)s::text[], %(grids)s::integer[]) AS b (building_id, grid);

-- name: all
SELECT scenario_id, area_code, name, rule_set, report, created_at FROM core.scenario
WHERE starts_with(area_code, %(area)s) ORDER BY created_at DESC;
