"""What a file is, judged by its content and its name together, laid out in a folder of our own for the readers.

Nothing is handed to GDAL under the name a person gave it: readers see links in a temporary folder, so that no name can
reach a virtual file system, and archives are unpacked by us, within limits.
"""

from __future__ import annotations

import bz2
import gzip
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import IO, cast

from onemap.errors import InputRefused


class Kind(StrEnum):
    """The formats that are read."""

    GPKG = "GeoPackage"
    GEOJSON = "GeoJSON"
    SHP = "Shapefile"
    FGB = "FlatGeobuf"
    PARQUET = "GeoParquet"
    CSV = "CSV"
    XLSX = "Excel"
    OSM = "OpenStreetMap"


READABLE = "GeoPackage, GeoJSON, Shapefile (plain or zipped), FlatGeobuf, GeoParquet, CSV or Excel (.xlsx)"

#: Unpacked bytes of an archive, and how many times larger than the archive it may be once it is large at all.
MAX_UNPACKED = 2 * 1024**3
MAX_RATIO = 100
RATIO_MATTERS_FROM = 50 * 1024**2
MAX_MEMBERS = 2000

_SUFFIXES: dict[str, Kind] = {
    ".gpkg": Kind.GPKG,
    ".geojson": Kind.GEOJSON, ".json": Kind.GEOJSON, ".geojsonl": Kind.GEOJSON,
    ".shp": Kind.SHP,
    ".fgb": Kind.FGB,
    ".parquet": Kind.PARQUET, ".geoparquet": Kind.PARQUET,
    ".csv": Kind.CSV, ".tsv": Kind.CSV, ".txt": Kind.CSV,
    ".xlsx": Kind.XLSX,
    ".pbf": Kind.OSM, ".osm": Kind.OSM, ".osm.gz": Kind.OSM, ".osm.bz2": Kind.OSM, ".osm.xml": Kind.OSM,
}  # fmt: skip
_FILE_NAME: dict[Kind, str] = {
    Kind.GPKG: "source.gpkg", Kind.GEOJSON: "source.geojson", Kind.SHP: "source.shp", Kind.FGB: "source.fgb",
    Kind.PARQUET: "source.parquet", Kind.CSV: "source.csv", Kind.XLSX: "source.xlsx",
}  # fmt: skip
_MARKS = ((b"fgb\x03", Kind.FGB), (b"PAR1", Kind.PARQUET), (b"\x00\x00\x27\x0a", Kind.SHP))
_IN_ZIP = (".gpkg", ".geojson", ".json", ".fgb", ".csv", ".parquet")
_SIDECARS = (".dbf", ".shx", ".prj", ".cpg")
_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A file ready to be read: what it is, what people call it, and where the readers find it."""

    kind: Kind
    name: str
    file: Path


@contextmanager
def opened(path: Path, part: str | None = None) -> Iterator[Source]:
    """The file at ``path`` as a source; ``part`` chooses among the Shapefiles of an archive. Nothing is left behind."""
    _check_name(path)
    with tempfile.TemporaryDirectory(prefix="onemap-import-") as folder:
        room = Path(folder)
        if path.suffix.casefold() == ".zip":
            yield _from_zip(path, room, part)
        else:
            yield _from_file(path, room)


def _check_name(path: Path) -> None:
    text = str(path)
    if text.startswith("/vsi") or "://" in text or ":/" in text.replace("\\", "/"):
        raise InputRefused(f"'{text}' is a web address or a virtual file system; only files on this machine are read.")
    if path.is_dir():
        raise InputRefused(f"'{path.name}' is a folder; name a file: {READABLE}.")
    if not path.is_file():
        raise InputRefused(f"There is no file '{path}'.")
    if path.stat().st_size == 0:
        raise InputRefused(f"'{path.name}' is empty: it has no bytes.")


def _from_file(path: Path, room: Path) -> Source:
    kind = _agreed_kind(path, path.name)
    if kind is Kind.SHP:
        _link_shapefile(path, room)
    elif kind is Kind.OSM:
        _check_unpacked_osm(path)
        (room / f"source{_suffix(path.name)}").symlink_to(path.resolve())
        return Source(kind, path.name, room / f"source{_suffix(path.name)}")
    else:
        if kind is Kind.XLSX:
            with _archive(path) as archive:
                _check_archive(archive, path)
        (room / _FILE_NAME[kind]).symlink_to(path.resolve())
    return Source(kind, path.name, room / _FILE_NAME[kind])


def _agreed_kind(path: Path, name: str) -> Kind:
    """What the file is, where its name and its content say the same."""
    named = _SUFFIXES.get(_suffix(name))
    found = _kind_of_content(path, name)
    if named is None:
        hint = f"it holds {_article(found)}" if found else f"'{_suffix(name) or name}' is no ending of a format we read"
        raise InputRefused(f"'{name}' is not named like anything we read ({hint}); we read {READABLE}.")
    if found is None:
        raise InputRefused(f"'{name}' is named as {_article(named)}, but that is not what it holds.")
    if found is not named:
        raise InputRefused(
            f"'{name}' is named as {_article(named)}, but holds {_article(found)}; give it the right ending."
        )
    return named


def _kind_of_content(path: Path, name: str) -> Kind | None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, kind in _MARKS:
        if head.startswith(mark):
            return kind
    if b"OSMHeader" in head[:64]:
        return Kind.OSM
    return _kind_looked_into(path, head, name)


def _kind_looked_into(path: Path, head: bytes, name: str) -> Kind | None:
    if head.startswith(b"SQLite format 3\0"):
        return _sqlite_kind(head, name)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path, name)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputRefused(f"'{name}' is an old or encrypted Office file; save it as .xlsx without a password.")
    if head.startswith((b"\x1f\x8b", b"BZh")):
        return Kind.OSM if _is_osm_xml(_unpacked_head(path, head, name)) else None
    return _text_kind(head, name)


def _sqlite_kind(head: bytes, name: str) -> Kind:
    if head[68:72] not in (b"GPKG", b"GP10", b"GP11"):
        raise InputRefused(f"'{name}' is an SQLite database, but no GeoPackage.")
    return Kind.GPKG


def _zip_kind(path: Path, name: str) -> Kind | None:
    with _archive(path) as archive:
        members = set(archive.namelist())
    if "xl/vbaProject.bin" in members:
        raise InputRefused(f"'{name}' carries macros; save it as a plain .xlsx.")
    return Kind.XLSX if "xl/workbook.xml" in members else None


def _text_kind(head: bytes, name: str) -> Kind | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _is_osm_xml(text):
        return Kind.OSM
    if text.startswith(b"<"):
        raise InputRefused(
            f"'{name}' is an XML file (KML, GML, VRT or a web page), which is not read; we read {READABLE}."
        )
    if text.startswith((b"{", b"[")):
        return Kind.GEOJSON
    utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return Kind.CSV if utf16 or b"\0" not in head else None


def _is_osm_xml(text: bytes) -> bool:
    start = text[:1024].lstrip()
    return start.startswith(b"<") and b"<osm" in start


def _unpacked_head(path: Path, head: bytes, name: str) -> bytes:
    try:
        with _unpacking(path, head) as stream:
            return stream.read(1024)
    except (OSError, EOFError) as wrong:
        raise InputRefused(f"'{name}' is cut off or damaged: it cannot be unpacked.") from wrong


def _check_unpacked_osm(path: Path) -> None:
    """Read a compressed extract through once, so that one that is cut off or swells is refused before anything else."""
    with path.open("rb") as file:
        head = file.read(4)
    if not head.startswith((b"\x1f\x8b", b"BZh")):
        return
    size, unpacked = path.stat().st_size, 0
    try:
        with _unpacking(path, head) as stream:
            while block := stream.read(1024 * 1024):
                unpacked += len(block)
                if unpacked > RATIO_MATTERS_FROM and unpacked > MAX_RATIO * size:
                    raise InputRefused(f"'{path.name}' swells to more than {MAX_RATIO} times its size; this is no map.")
    except (OSError, EOFError) as wrong:
        raise InputRefused(f"'{path.name}' is cut off or damaged: it cannot be unpacked.") from wrong


def _unpacking(path: Path, head: bytes) -> IO[bytes]:
    """The unpacked stream of a gzip or bzip2 file; the caller closes it."""
    unpack = gzip.open if head.startswith(b"\x1f\x8b") else bz2.open
    return cast(IO[bytes], unpack(path, "rb"))


def _link_shapefile(path: Path, room: Path) -> None:
    beside = {p.name.casefold(): p for p in path.parent.iterdir()}
    stem = path.stem.casefold()
    (room / "source.shp").symlink_to(path.resolve())
    for suffix in _SIDECARS:
        found = beside.get(f"{stem}{suffix}") or beside.get(f"{path.name.casefold()}{suffix}")
        if found is not None:
            (room / f"source{suffix}").symlink_to(found.resolve())
    _check_sidecars(room, path.name)


def _check_sidecars(room: Path, name: str) -> None:
    missing = [suffix for suffix in (".dbf", ".shx") if not (room / f"source{suffix}").exists()]
    if missing:
        raise InputRefused(f"'{name}' is a Shapefile without its {' and '.join(missing)}; all parts belong together.")


def _from_zip(path: Path, room: Path, part: str | None) -> Source:
    with _archive(path) as archive:
        _check_archive(archive, path)
        members = {name: info for info in archive.infolist() if (name := _member_name(info))}
        shapes = {PurePosixPath(name).stem: name for name in members if name.casefold().endswith(".shp")}
        if shapes:
            return _unpack_shapefile(archive, members, _chosen(shapes, part, path.name), room, path.name)
        readable = [name for name in members if _suffix(name) in _IN_ZIP]
        if len(readable) != 1:
            raise InputRefused(f"'{path.name}' holds no Shapefile, nor exactly one other file that we read.")
        unpacked = room / f"unpacked{_suffix(readable[0])}"
        _unpack(archive, members[readable[0]], unpacked, path.name)
        kind = _agreed_kind(unpacked, PurePosixPath(readable[0]).name)
        unpacked.rename(room / _FILE_NAME[kind])
        return Source(kind, path.name, room / _FILE_NAME[kind])


def _unpack_shapefile(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], shape: str, room: Path, name: str
) -> Source:
    stem = shape[:-4].casefold()
    for member, info in members.items():
        for suffix in (".shp", *_SIDECARS):
            if member.casefold() in (f"{stem}{suffix}", f"{stem}.shp{suffix}"):
                _unpack(archive, info, room / f"source{suffix}", name)
    _check_sidecars(room, name)
    _agreed_kind(room / "source.shp", PurePosixPath(shape).name)
    return Source(Kind.SHP, name, room / "source.shp")


def _chosen(shapes: dict[str, str], part: str | None, name: str) -> str:
    if part is not None and part in shapes:
        return shapes[part]
    if part is not None or len(shapes) > 1:
        raise InputRefused(f"'{name}' holds the Shapefiles {', '.join(sorted(shapes))}; choose one with --layer.")
    return next(iter(shapes.values()))


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as wrong:
        raise InputRefused(f"'{path.name}' is cut off or damaged: it cannot be unpacked.") from wrong


def _check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    unpacked = sum(info.file_size for info in members)
    if len(members) > MAX_MEMBERS:
        raise InputRefused(f"'{path.name}' holds {len(members)} files; at most {MAX_MEMBERS} are unpacked.")
    if any(info.flag_bits & 1 for info in members):
        raise InputRefused(f"'{path.name}' is locked with a password; unlock it first.")
    ratio = unpacked / max(path.stat().st_size, 1)
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_MATTERS_FROM and ratio > MAX_RATIO):
        raise InputRefused(
            f"'{path.name}' would unpack to {unpacked / 1024**2:,.0f} MB, {ratio:,.0f} times its size; "
            f"at most {MAX_UNPACKED // 1024**2:,} MB and {MAX_RATIO} times are unpacked."
        )


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, name: str) -> None:
    """Write one member out, counting its real bytes: the size an archive declares may lie."""
    written = 0
    with archive.open(info) as packed, target.open("wb") as file:
        while block := packed.read(1024 * 1024):
            written += len(block)
            if written > min(info.file_size, MAX_UNPACKED):
                raise InputRefused(f"'{name}' holds more than it declares; it is not unpacked.")
            file.write(block)


def _member_name(info: zipfile.ZipInfo) -> str | None:
    """The name of a file in the archive, read as GBK where it is not marked as UTF-8; ``None`` for what is no data."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = info.filename
    parts = PurePosixPath(name).parts
    is_data = not info.is_dir() and parts and parts[0] != "__MACOSX" and not parts[-1].startswith("._")
    return name if is_data else None


def _suffix(name: str) -> str:
    lower = name.casefold()
    for suffix in (".osm.gz", ".osm.bz2", ".osm.xml", ".osm.pbf"):
        if lower.endswith(suffix):
            return ".pbf" if suffix == ".osm.pbf" else suffix
    return PurePosixPath(lower).suffix


def _article(kind: Kind) -> str:
    return f"an {kind.value} file" if kind.value[0] in "EO" else f"a {kind.value} file"
