"""Printing (issue 4): a sheet of exact size, the light map, title, legend of what is shown, watermark; PDF and PNG."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pytest
from numpy.typing import NDArray

from tests.e2e.conftest import Visit, Visitor

POINTS_PER_MM = 72 / 25.4
SIZES_MM = {"A4": (297, 210), "A3": (420, 297)}

type Picture = NDArray[np.uint8]


def test_a_sheet_is_exact_complete_and_light_even_from_the_dark_page(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    visitor.open("?theme=dark&lang=zh&area=990101001001&sel=grids/1")
    page = visitor.page
    page.keyboard.press("Control+p")
    dialog = page.get_by_role("dialog", name="打印地图")
    assert dialog.get_by_role("radio", name="A4").is_checked()
    dialog.get_by_role("textbox", name="标题").fill("晴川社区值班图")
    _drawn(visitor)
    visitor.picture("print-1440-dark-zh")
    sheet = _pdf(visitor, tmp_path / "sheet.pdf")
    _has_size(sheet, "A4")
    for words in (
        "晴川社区值班图",
        "示例市 › 示范区 › 云桥街道 › 晴川社区",
        "虚拟数据",
        "内部资料",
        "数据时间 20",
        "未结事件",
        "网格规模达标",
        "依据：",
        "图例",
        "行政区划",
        "比例尺 1:",
        "北",
        "CGCS2000",
        "打印时间 20",
    ):
        assert words in sheet["text"], words
    assert "监控" not in sheet["text"], "the legend holds what is shown, and cameras are not"
    picture: Picture = sheet["picture"]
    assert picture[:20].min() > 250, "the margin is paper"
    shown = picture[picture.shape[0] // 3 :, : picture.shape[1] // 2]
    assert np.median(shown) > 200, "the map is the light one"
    assert shown.std() > 10, "and not empty"


def test_the_watermark_lies_over_the_map(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    # Nothing but land, so that every other colour within the frame is the mark.
    visitor.open("?on=&lang=en&theme=light")
    visitor.page.get_by_role("button", name="Print", exact=True).click()
    _drawn(visitor)
    visitor.page.get_by_role("radio", name="A3").check()
    _drawn(visitor)
    sheet = _pdf(visitor, tmp_path / "mark.pdf", name="Download PDF")
    _has_size(sheet, "A3")
    assert "Internal" in sheet["text"]
    picture: Picture = sheet["picture"]
    height, width = picture.shape[:2]
    for part in (picture[height // 3 : height // 2], picture[height // 2 : 2 * height // 3]):
        frame = part[:, width // 10 : int(width * 0.7)]
        marked = (np.abs(frame.astype(int) - (245, 245, 241)).max(axis=2) > 8).mean()
        assert 0.01 < marked < 0.25, "words across the map, light enough to read through"


def test_a_picture_has_the_dots_of_its_paper(visit: Visit) -> None:
    visitor = visit()
    visitor.open("?on=areas.grids&lang=zh&theme=light")
    visitor.page.get_by_role("button", name="打印", exact=True).click()
    _drawn(visitor)
    with visitor.page.expect_download() as waiting:
        visitor.page.get_by_role("button", name="下载 PNG").click()
    name = waiting.value.suggested_filename
    assert name.endswith(".png")
    assert "A4" in name
    head = Path(waiting.value.path()).read_bytes()[:24]
    assert head[1:4] == b"PNG"
    assert struct.unpack(">II", head[16:24]) == (2806, 1984)


def test_a_map_that_does_not_come_is_said(visit: Visit) -> None:
    visitor = visit()
    visitor.expected.append("console error: Failed to load resource")
    visitor.open("?on=areas.grids&lang=zh&theme=light")
    page = visitor.page
    page.route("**/tiles/style/light.json*", lambda route: route.fulfill(status=500, body=""))
    page.get_by_role("button", name="打印", exact=True).click()
    failure = page.get_by_role("dialog").get_by_role("alert")
    failure.wait_for()
    assert "地图没有绘制成功" in failure.inner_text()
    assert page.get_by_role("button", name="下载 PDF").is_disabled()
    page.unroute("**/tiles/style/light.json*")
    failure.get_by_role("button", name="重试").click()
    _drawn(visitor)


def _drawn(visitor: Visitor) -> None:
    visitor.page.wait_for_selector("dialog figure[data-work=ready]")


def _has_size(sheet: dict[str, Any], paper: str) -> None:
    assert sheet["size"] == pytest.approx([mm * POINTS_PER_MM for mm in SIZES_MM[paper]], abs=0.01)
    assert sheet["dpi"] >= 200


def _pdf(visitor: Visitor, path: Path, name: str = "下载 PDF") -> dict[str, Any]:
    """A sheet as a reader of PDF sees it: size in points, words, and the page as a picture."""
    with visitor.page.expect_download() as waiting:
        visitor.page.get_by_role("button", name=name).click()
    waiting.value.save_as(path)
    document = pdfium.PdfDocument(path)
    try:
        assert len(document) == 1
        page = document[0]
        [image] = list(page.get_objects([pdfium.raw.FPDF_PAGEOBJ_IMAGE]))
        across = image.get_px_size()[0]
        size = page.get_size()
        return {
            "size": list(size),
            "dpi": across / size[0] * 72,
            "text": page.get_textpage().get_text_range(),
            "picture": page.render(scale=1.5, rev_byteorder=True).to_numpy()[:, :, :3].copy(),
        }
    finally:
        document.close()
