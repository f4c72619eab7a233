"""A QGIS project of our layers: OGC API features from the server, drawn in our palette, named in Chinese."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from onemap.catalog.qgis_renderer import labeling, renderer
from onemap.catalog.style import StyleBook, fragments_of
from onemap.domain.layer import AREA_CODE, Group, Language, Layer

#: The version whose file format this is; newer ones read it too.
_VERSION = "3.22.16"
#: Layers that start switched off because they are dense or special.
_STARTS_OFF = frozenset({"cameras", "patrol_points", "facilities", "management_points", "department_grids"})
_PAGE = 1000
#: EPSG code -> QGIS' own number and the PROJ text; with the authority's code alone QGIS does not find it.
_CRS = {
    3857: (
        3857,
        "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs",
    ),
    4326: (3452, "+proj=longlat +datum=WGS84 +no_defs"),
}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_project(
    groups: Sequence[Group], layers: Iterable[Layer], book: StyleBook, *, server: str, theme: str, language: Language
) -> bytes:
    """
    A ``.qgz``: the zipped project file.

    Parameters
    ----------
    server
        Where QGIS reaches the server, without a slash at the end.
    """
    document = project_xml(groups, layers, book, server=server, theme=theme, language=language)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("onemap.qgs", _EPOCH), document, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def project_xml(
    groups: Sequence[Group], layers: Iterable[Layer], book: StyleBook, *, server: str, theme: str, language: Language
) -> str:
    """The project file itself."""
    shown = tuple(layers)
    title = {"zh": "一张图", "en": "One map"}[language]
    project = ET.Element("qgis", {"projectname": title, "version": _VERSION})
    ET.SubElement(project, "title").text = title
    ET.SubElement(project, "projectCrs").append(_crs(3857))
    tree = ET.SubElement(project, "layer-tree-group")
    for group in groups:
        members = [layer for layer in shown if layer.group == group.name]
        if members:
            name = group.title.in_language(language)
            shown_group = {"name": name, "checked": "Qt::Checked", "expanded": "1"}
            branch = ET.SubElement(tree, "layer-tree-group", shown_group)
            for layer in members:
                branch.append(_tree_entry(layer, server, language))
    order = ET.SubElement(tree, "custom-order", {"enabled": "1"})
    for layer in _top_down(shown, book):
        ET.SubElement(order, "item").text = _id(layer)
    held = ET.SubElement(project, "projectlayers")
    for layer in shown:
        held.append(_map_layer(layer, book, server, theme, language))
    _properties(project, book.palettes[theme].value("land"))
    ET.indent(project)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(project, encoding="unicode")


def _tree_entry(layer: Layer, server: str, language: Language) -> ET.Element:
    return ET.Element(
        "layer-tree-layer",
        {
            "id": _id(layer),
            "name": layer.title.in_language(language),
            "providerKey": "OAPIF",
            "source": _source(layer, server),
            "checked": "Qt::Unchecked" if layer.name in _STARTS_OFF else "Qt::Checked",
            "expanded": "0",
        },
    )


def _map_layer(layer: Layer, book: StyleBook, server: str, theme: str, language: Language) -> ET.Element:
    kind = "Point" if layer.geometry.is_point else "Line" if layer.geometry.is_line else "Polygon"
    element = ET.Element(
        "maplayer",
        {
            "type": "vector",
            "geometry": kind,
            "wkbType": layer.geometry.value,
            "hasScaleBasedVisibilityFlag": "1",
            "minScale": str(round(279_541_132 / 2 ** max(layer.tiling.min_zoom - 1, 0))),
            "maxScale": "0",
            "labelsEnabled": "1",
            "autoRefreshEnabled": "0",
        },
    )
    ET.SubElement(element, "id").text = _id(layer)
    ET.SubElement(element, "datasource").text = _source(layer, server)
    ET.SubElement(element, "layername").text = layer.title.in_language(language)
    ET.SubElement(element, "srs").append(_crs(4326))
    metadata = ET.SubElement(element, "resourceMetadata")
    ET.SubElement(metadata, "title").text = layer.title.in_language(language)
    ET.SubElement(metadata, "abstract").text = layer.description.in_language(language)
    ET.SubElement(element, "provider", {"encoding": "UTF-8"}).text = "OAPIF"
    element.append(renderer(layer, book, theme, language))
    if (labels := labeling(layer, book, theme)) is not None:
        element.append(labels)
    element.append(_aliases(layer, language))
    ET.SubElement(element, "previewExpression").text = f'"{layer.label or layer.key.name}"'
    return element


def _aliases(layer: Layer, language: Language) -> ET.Element:
    element = ET.Element("aliases")
    for index, field in enumerate(field for field in layer.fields if field.name != AREA_CODE):
        title = field.title.in_language(language)
        ET.SubElement(element, "alias", {"field": field.name, "index": str(index), "name": title})
    return element


def _top_down(layers: Sequence[Layer], book: StyleBook) -> list[Layer]:
    def height(layer: Layer) -> int:
        slots = [book.slots.index(fragment["slot"]) for fragment in fragments_of(layer, book)]
        ground = [slot for slot in slots if book.slots[slot] not in ("labels", "grid-pills", "selection", "choropleth")]
        return max(ground or slots)

    return sorted(layers, key=height, reverse=True)


def _source(layer: Layer, server: str) -> str:
    return (
        f" pagingEnabled='true' pageSize='{_PAGE}' restrictToRequestBBOX='1' typename='{layer.name}' "
        f"url='{server}/ogc' version='OGC_API_FEATURES'"
    )


def _id(layer: Layer) -> str:
    return f"onemap_{layer.name}"


def _crs(srid: int) -> ET.Element:
    element = ET.Element("spatialrefsys")
    srsid, proj = _CRS[srid]
    for tag, text in (("proj4", proj), ("srsid", str(srsid)), ("srid", str(srid)), ("authid", f"EPSG:{srid}")):
        ET.SubElement(element, tag).text = text
    return element


def _properties(project: ET.Element, background: str) -> None:
    properties = ET.SubElement(project, "properties")
    gui = ET.SubElement(properties, "Gui")
    for name, at in (("Red", 1), ("Green", 3), ("Blue", 5)):
        part = ET.SubElement(gui, f"CanvasColor{name}Part", {"type": "int"})
        part.text = str(int(background[at : at + 2], 16))
    # without this QGIS does not read the project's CRS
    ET.SubElement(ET.SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", {"type": "int"}).text = "1"
