"""The style is a pure function of layers, palette and language; symbols, legend and map share their tokens."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onemap.catalog.palette import THEMES, Palette, read_palette
from onemap.catalog.read import read_catalog
from onemap.catalog.sprites import read_symbols, sprite_sheet, symbol_svg
from onemap.catalog.style import StyleBook, build_style, read_style_book, style_problems
from onemap.domain.layer import Catalog, GeometryType
from onemap.domain.scope import PUBLIC
from onemap.errors import CatalogError

ROOT = Path(__file__).resolve().parents[2]
TILES = ROOT / "tiles"
SPEC = ROOT / "server" / "dashboard" / "node_modules" / "@maplibre" / "maplibre-gl-style-spec"


@pytest.fixture(scope="module")
def book() -> StyleBook:
    return read_style_book(TILES)


def _style(catalog: Catalog, book: StyleBook, theme: str = "dark") -> dict[str, Any]:
    return build_style(catalog, book, theme=theme, language="zh", base_url="http://map.example")


def test_no_layer_has_a_problem_in_its_style(catalog: Catalog, book: StyleBook) -> None:
    assert style_problems(catalog, book) == []


def test_a_wrong_fragment_is_told_with_file_and_key(tmp_path: Path, book: StyleBook) -> None:
    folder = tmp_path / "layers"
    shutil.copytree(ROOT / "layers", folder)
    wrong = [{"id": "x", "slot": "sky", "type": "fill", "paint": {"fill-color": "@nothing"}, "colour": 1}]
    (folder / "base" / "water" / "style.json").write_text(json.dumps(wrong), "utf-8")
    said = " ".join(style_problems(read_catalog(folder), book))
    assert "base/water/style.json: x.colour is an unknown key." in said
    assert "'sky' is not in tiles/styles/order.json" in said
    assert "'@nothing', which is no token of the dark theme" in said


def test_layers_that_go_together_share_a_source_and_each_says_who_draws_it(catalog: Catalog, book: StyleBook) -> None:
    style = _style(catalog, book)
    together = [layer.name for layer in catalog if layer.tiling.together]
    alone = {layer.name for layer in catalog} - set(together)
    assert set(style["sources"]) == {*alone, "together-16"}
    assert len(together) > 1
    assert alone
    assert f"/tiles/{'+'.join(together)}/" in style["sources"]["together-16"]["tiles"][0]
    drawn = [layer for layer in style["layers"] if "source" in layer]
    assert {layer["metadata"]["onemap:layer"] for layer in drawn} == {layer.name for layer in catalog}
    for layer in drawn:
        owner = layer["metadata"]["onemap:layer"]
        assert layer["source"] == (owner if owner in alone else "together-16")
        assert layer["source-layer"].startswith(owner)
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])


def test_layers_lie_in_the_order_of_the_slots(catalog: Catalog, book: StyleBook) -> None:
    style = _style(catalog, book)
    slots = [layer["metadata"]["onemap:slot"] for layer in style["layers"] if "source" in layer]
    assert [book.slots.index(slot) for slot in slots] == sorted(book.slots.index(slot) for slot in slots)
    ids = [layer["id"] for layer in style["layers"]]
    # what collides last gives way: events, then grid pills, responders, estates, roads
    placed = ["roads-name", "estates-name", "responders-symbol", "grids-number", "events-symbol"]
    assert sorted(placed, key=ids.index) in (placed, ["estates-name", "roads-name", *placed[2:]])


def test_no_token_is_left_in_a_style(catalog: Catalog, book: StyleBook) -> None:
    for theme in THEMES:
        assert '"@' not in json.dumps(_style(catalog, book, theme))


def test_the_public_gets_no_word_of_layers_it_may_not_see(catalog: Catalog, book: StyleBook) -> None:
    seen = [layer for layer in catalog if PUBLIC.sees(layer)]
    text = json.dumps(build_style(seen, book, theme="light", language="en", base_url=""))
    assert "buildings" in text
    assert "events" not in text.replace('"slot:events"', "")
    assert "cameras" not in text


def test_legends_name_symbols_that_are_drawn(catalog: Catalog, book: StyleBook) -> None:
    style = _style(catalog, book)
    legends = [layer["metadata"].get("onemap:legend") for layer in style["layers"] if "metadata" in layer]
    by_symbol = {legend["symbol"]: legend for legend in legends if legend}
    events = by_symbol["event-3"]
    assert events["field"] == "level"
    assert [item["value"] for item in events["items"]] == [4, 3, 2, 1, None]
    assert events["items"][0]["text"] == "特别重大"


def test_every_code_of_a_drawn_class_has_a_symbol(catalog: Catalog, book: StyleBook) -> None:
    families = {
        "camera_class": "camera-{}",
        "qr_kind": "qr-{}",
        "facility_category": "facility-{}",
        "responder_role": "responder-{}",
        "event_level": "event-{}",
    }
    missing = [
        pattern.format(value)
        for codes, pattern in families.items()
        for value in catalog.code_lists[codes].values
        if pattern.format(value) not in book.symbols
    ]
    assert missing == []


def test_a_layer_without_a_style_is_drawn_in_the_manner_of_its_geometry(tmp_path: Path, book: StyleBook) -> None:
    folder = tmp_path / "layers"
    shutil.copytree(ROOT / "layers", folder)
    for name, geometry in (("hydrants", "Point"), ("pipes", "LineString"), ("plots", "MultiPolygon")):
        (folder / "points" / name).mkdir()
        (folder / "points" / name / "layer.toml").write_text(
            f'title = {{ zh = "{name}", en = "{name}" }}\ngeometry = "{geometry}"\nclass = "public"\n'
            'fields.no = { type = "text", title = { zh = "号", en = "No" }, unique = true }\n',
            "utf-8",
        )
    style = _style(read_catalog(folder), book)
    types = {layer["source"]: layer["type"] for layer in style["layers"] if "source" in layer}
    assert (types["hydrants"], types["pipes"], types["plots"]) == ("symbol", "line", "line")


def test_styles_are_valid_by_the_style_specification(catalog: Catalog, book: StyleBook, tmp_path: Path) -> None:
    node = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}:{'/usr/bin:/usr/local/bin'}") or shutil.which("node")
    if node is None or not SPEC.is_dir():
        pytest.skip("the dashboard's packages are not installed; 'make setup' brings the style specification")
    for theme in THEMES:
        (tmp_path / f"{theme}.json").write_text(json.dumps(_style(catalog, book, theme)), "utf-8")
    script = (
        f"import {{ validateStyleMin }} from {json.dumps((SPEC / 'dist' / 'index.mjs').as_uri())};"
        "import { readFileSync } from 'node:fs';"
        "const said = process.argv.slice(1).flatMap((f) => validateStyleMin(JSON.parse(readFileSync(f, 'utf8'))));"
        "console.log(JSON.stringify(said.map((e) => e.message)));"
    )
    files = [str(tmp_path / f"{theme}.json") for theme in THEMES]
    ran = subprocess.run(
        [node, "--input-type=module", "-e", script, *files], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(ran.stdout) == []


def test_the_sheet_holds_every_symbol_of_the_map_and_no_two_overlap(book: StyleBook) -> None:
    sheet = sprite_sheet(book.symbols, book.palettes["light"], 2)
    index = json.loads(sheet.index)
    assert set(index) == {name for name in book.symbols if not name.startswith("swatch-")}
    boxes = [(e["x"], e["y"], e["x"] + e["width"], e["y"] + e["height"]) for e in index.values()]
    assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a, b in combinations(boxes, 2))
    width, height = (int.from_bytes(sheet.png[at : at + 4]) for at in (16, 20))
    assert sheet.png.startswith(b"\x89PNG")
    assert all(right <= width and bottom <= height for _, _, right, bottom in boxes)


def test_twice_the_ratio_is_twice_the_pixels(book: StyleBook) -> None:
    one, two = (json.loads(sprite_sheet(book.symbols, book.palettes["dark"], ratio).index) for ratio in (1, 2))
    assert two["event-4"]["width"] == 2 * one["event-4"]["width"]
    assert two["event-4"]["pixelRatio"] == 2
    assert two["pill"]["stretchX"] == [[10, 30]]


def test_the_styles_name_no_picture_that_the_sheet_lacks(catalog: Catalog, book: StyleBook) -> None:
    text = json.dumps([layer.style for layer in catalog])
    for key in ("icon-image", "fill-pattern"):
        for name in re.findall(rf'"{key}": "([a-z0-9-]+)"', text):
            assert name in book.symbols


def test_a_symbol_is_drawn_in_the_colours_of_its_theme(book: StyleBook) -> None:
    assert "#FF9548" in symbol_svg(book.symbols["event-3"], book.palettes["dark"])
    assert "#E2640A" in symbol_svg(book.symbols["event-3"], book.palettes["light"])
    for palette in book.palettes.values():
        assert all("@" not in symbol_svg(drawing, palette) for drawing in book.symbols.values())


def test_a_token_that_is_not_there_is_said_in_a_sentence() -> None:
    palette = read_palette(TILES, "dark")
    with pytest.raises(CatalogError, match=r"dark\.json: there is no token 'sea'"):
        palette.fill({"fill-color": "@sea"})


def test_both_themes_have_the_same_tokens() -> None:
    dark, light = (read_palette(TILES, theme) for theme in THEMES)
    assert set(dark.tokens) == set(light.tokens)


def test_symbols_are_drawn_for_both_themes_from_one_template() -> None:
    symbols = read_symbols(TILES)
    assert {"event-1", "event-4-overdue", "qr-river-overdue", "camera-vehicle-offline", "my-position"} <= set(symbols)


# --- Readability (screens.md section 2) ---------------------------------------------------------------------------------


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def _linear(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((float(_linear(_rgb(c)) @ [0.2126, 0.7152, 0.0722]) for c in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


#: Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
BACKGROUNDS = ("bg0", "bg1", "bg2", "bg3", "accent-soft")
TEXTS = ("text1", "text2", "text3", "accent", "ok", "warn", "bad", "info", "below", "above", "vacancy")
PALETTES = {
    "camera": [f"camera.{c}" for c in ("tianwang", "xueliang", "property", "childcare", "vehicle")],
    "qr": [f"qr.{c}" for c in ("patrol", "building", "household", "merchant", "river")],
    "event": [f"event.{n}.fill" for n in range(1, 5)],
}


@pytest.fixture(params=THEMES)
def palette(request: pytest.FixtureRequest) -> Palette:
    return read_palette(TILES, request.param)


def test_text_is_readable_on_every_panel(palette: Palette) -> None:
    worst = {text: min(_contrast(palette.value(text), palette.value(bg)) for bg in BACKGROUNDS) for text in TEXTS}
    assert {text: ratio for text, ratio in worst.items() if ratio < 4.5} == {}
    for text, ground in (
        ("on-accent", "accent"),
        ("banner.lost.text", "banner.lost.fill"),
        ("badge.out.text", "badge.out.fill"),
    ):
        assert _contrast(palette.value(text), palette.value(ground)) >= 4.5
    for level in range(1, 5):
        assert _contrast(palette.value(f"event.{level}.text"), palette.value("bg1")) >= 4.5


def test_labels_are_readable_on_their_ground(palette: Palette) -> None:
    for label, ground in (("estate", "halo"), ("road", "halo"), ("water", "water"), ("green", "park")):
        assert round(_contrast(palette.value(f"label.{label}"), palette.value(ground)), 1) >= 4.5


def test_graphics_stand_out_from_the_land(palette: Palette) -> None:
    edges = [f"event.{level}.edge" for level in range(1, 5)]
    for token in (*edges, "grid.line", "community.line", "facility.fill", *PALETTES["camera"], *PALETTES["qr"]):
        carried = max(_contrast(palette.value(token), palette.value(ground)) for ground in ("land", "symbol.halo"))
        assert carried >= 3, token


def test_categories_can_be_told_apart_in_any_colour_vision(palette: Palette) -> None:
    for members in PALETTES.values():
        for sight in SIGHTS.values():
            labs = [_lab(sight @ _linear(_rgb(palette.value(token)))) for token in members]
            assert min(math.dist(a, b) for a, b in combinations(labs, 2)) >= 13.5


def test_geometry_types_all_have_a_default(book: StyleBook) -> None:
    assert set(book.defaults) == {"point", "line", "polygon"}
    assert all(kind.is_point or kind.is_line or kind.is_polygon for kind in GeometryType)
