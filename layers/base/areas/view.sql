-- Areas as they are: the view is simple, so writes go straight through to core.area.
SELECT
    a.fid,
    a.area_code,
    a.name,
    a.level,
    a.parent_code,
    a.code_system,
    a.households,
    a.persons,
    a.geom
FROM core.area AS a;
