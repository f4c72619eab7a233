"""OpenStreetMap extracts: what counts for which layer."""

import gzip
from collections import Counter
from pathlib import Path

import osmium
import pytest

from onemap.errors import InputRefused
from onemap.ingest.osm import extract, read_osm

# A block with a courtyard, a shop node, a one-way street over a bridge, a pond, a park, a school.
EXTRACT = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="onemap test">
{nodes}
<node id="90" lat="31.7005" lon="117.3005" version="1"><tag k="shop" v="convenience"/><tag k="name" v="便利店"/></node>
<node id="91" lat="31.7006" lon="117.3006" version="1"><tag k="building" v="yes"/></node>
<way id="100" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/></way>
<way id="101" version="1"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="8"/><nd ref="5"/></way>
<way id="102" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="no"/></way>
<way id="103" version="1"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="8"/><nd ref="5"/>
  <tag k="building" v="apartments"/><tag k="building:levels" v="18;20"/><tag k="height" v="60 m"/>
  <tag k="addr:street" v="花园路"/><tag k="addr:housenumber" v="8号"/></way>
<way id="104" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="amenity" v="school"/><tag k="name" v="方兴小学"/></way>
<way id="105" version="1"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="natural" v="water"/><tag k="water" v="pond"/></way>
<way id="106" version="1"><nd ref="6"/><nd ref="7"/><nd ref="8"/><nd ref="6"/><tag k="leisure" v="park"/></way>
<way id="107" version="1"><nd ref="1"/><nd ref="2"/><tag k="building" v="yes"/></way>
<way id="200" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="oneway" v="-1"/>
  <tag k="bridge" v="yes"/><tag k="layer" v="1"/><tag k="maxspeed" v="30"/></way>
<way id="201" version="1"><nd ref="3"/><nd ref="4"/><tag k="highway" v="footway"/></way>
<way id="202" version="1"><nd ref="3"/><nd ref="4"/><tag k="highway" v="construction"/></way>
<way id="203" version="1"><nd ref="1"/><nd ref="2"/><nd ref="77"/><nd ref="78"/><tag k="highway" v="service"/></way>
<way id="204" version="1"><nd ref="77"/><nd ref="78"/><tag k="highway" v="service"/></way>
<relation id="300" version="1"><member type="way" ref="100" role="outer"/><member type="way" ref="101" role="inner"/>
  <tag k="type" v="multipolygon"/><tag k="building" v="yes"/><tag k="name" v="回字楼"/></relation>
<relation id="301" version="1"><member type="way" ref="999" role="outer"/>
  <tag k="type" v="multipolygon"/><tag k="building" v="yes"/></relation>
</osm>
"""
CORNERS = [(0, 0), (9, 0), (9, 9), (0, 9), (3, 3), (6, 3), (6, 6), (3, 6)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nodes = "\n".join(
        f'<node id="{i}" lat="{31.7 + y / 10_000:.5f}" lon="{117.3 + x / 10_000:.5f}" version="1"/>'
        for i, (x, y) in enumerate(CORNERS, start=1)
    )
    path = tmp_path / "block.osm.gz"
    path.write_bytes(gzip.compress(EXTRACT.format(nodes=nodes).encode()))
    return path


def test_a_multipolygon_keeps_its_courtyard(file):
    buildings = read_osm(file)["buildings"].set_index("osm_id")
    assert buildings.loc["r300", "name"] == "回字楼"
    assert len(buildings.loc["r300"].geometry.geoms[0].interiors) == 1


def test_tags_become_fields(file):
    tower = read_osm(file)["buildings"].set_index("osm_id").loc["w103"]
    assert (tower["use"], tower["floors"], tower["height_m"], tower["address"]) == (
        "residential",
        20,
        60.0,
        "花园路8号",
    )


def test_a_road_knows_its_modes_direction_and_level(file):
    roads = read_osm(file)["roads"].set_index("osm_id")
    street, path = roads.loc["w200"], roads.loc["w201"]
    assert (street["oneway"], street["bridge"], street["z_level"], street["speed_kmh"]) == ("backward", True, 1, 30.0)
    assert (street["foot"], street["ebike"], street["car"]) == (True, True, True)
    assert (path["foot"], path["car"], path["oneway"]) == (True, False, "no")


def test_places_become_points_with_our_categories(file):
    facilities = read_osm(file)["facilities"].set_index("osm_id")
    assert facilities["category"].to_dict() == {"n90": "convenience_store", "w104": "primary_school"}
    assert set(facilities.geometry.geom_type) == {"Point"}


def test_water_and_green_have_kinds(file):
    frames = read_osm(file)
    assert frames["water"]["kind"].tolist() == ["pond"]
    assert frames["green"]["kind"].tolist() == ["park"]


def test_counts_are_those_of_a_plain_handler_less_what_is_rejected(file):
    found = extract(file)
    counted = _counted(file)
    for layer in ("buildings", "roads"):
        assert len(found.frames[layer]) + len(found.rejected[layer]) == counted[layer]
    assert dict(found.rejected["buildings"]) == {"w102": "building=no: nothing stands there"}
    assert [osm_id for osm_id, _ in found.rejected["roads"]] == ["w202", "w204"]


def test_what_is_no_area_here_is_in_no_count_but_said(file):
    assert extract(file).incomplete == {"buildings": ["w107", "r301"]}


def test_a_road_that_leaves_the_extract_keeps_the_part_inside(file):
    found = extract(file)
    stub = found.frames["roads"].set_index("osm_id").loc["w203"].geometry
    assert len(stub.coords) == 2
    assert found.shortened == {"roads": 1}


def test_a_box_keeps_what_touches_it(file):
    frames = read_osm(file, bbox=(117.29, 31.69, 117.30001, 31.70001))
    assert frames["facilities"]["osm_id"].tolist() == []
    assert "w200" in frames["roads"]["osm_id"].tolist()


def test_a_file_that_is_no_extract_is_refused(tmp_path):
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(b"\0\0\0\x0d\x0a\x09OSMHeader\x18" + bytes(range(256)))
    with pytest.raises(InputRefused, match="cannot be read as OpenStreetMap"):
        read_osm(path)


def _counted(file: Path) -> Counter[str]:
    counts: Counter[str] = Counter()

    class Handler(osmium.SimpleHandler):
        def area(self, area):
            counts["buildings"] += "building" in area.tags

        def way(self, way):
            counts["roads"] += "highway" in way.tags

    Handler().apply_file(str(file), locations=True)
    return counts
