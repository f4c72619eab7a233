"""The attribute table of a Shapefile: whether it is whole, and which encoding its texts are in.

Reads the few header bytes that GDAL is lenient about (dBASE III, ESRI Shapefile technical description, 1998).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from onemap.errors import InputRefused
from onemap.ingest.text import UTF8, encoding_of_cpg, known_encoding
from onemap.ingest.text import encoding_of as encoding_of_text

_SHP_HEADER, _SHX_RECORD = 100, 8
_SAMPLE = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class Choice:
    """The encoding of a table, and what there is to say about it."""

    encoding: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Header:
    n_records: int
    header_bytes: int
    record_bytes: int
    text_slices: tuple[slice, ...]


def check_whole(shp: Path, name: str) -> None:
    """``InputRefused`` where a part of the Shapefile is shorter than its header says, or the parts do not match."""
    for suffix in (".shp", ".shx"):
        part = shp.with_suffix(suffix)
        head = part.read_bytes()[:_SHP_HEADER] if part.stat().st_size >= _SHP_HEADER else b""
        if head[:4] != b"\x00\x00\x27\x0a":
            raise InputRefused(f"The {suffix} of '{name}' is damaged or cut off.")
        expected = struct.unpack(">I", head[24:28])[0] * 2
        if part.stat().st_size < expected:
            raise InputRefused(f"The {suffix} of '{name}' is cut off: {part.stat().st_size:,} of {expected:,} bytes.")
    header, size = _header(shp.with_suffix(".dbf"), name), shp.with_suffix(".dbf").stat().st_size
    expected = header.header_bytes + header.n_records * header.record_bytes
    if size < expected:
        raise InputRefused(f"The .dbf of '{name}' is cut off: {size:,} of {expected:,} bytes.")
    n_shapes = (shp.with_suffix(".shx").stat().st_size - _SHP_HEADER) // _SHX_RECORD
    if n_shapes != header.n_records:
        raise InputRefused(f"'{name}' has {n_shapes:,} shapes, but {header.n_records:,} rows of attributes.")


def encoding_of(shp: Path, named: str | None, name: str) -> Choice:
    """The encoding that a person names, else the .cpg, else what the bytes show."""
    if named is not None:
        return Choice(known_encoding(named))
    dbf = shp.with_suffix(".dbf")
    sample = _texts(dbf, name)
    cpg = shp.with_suffix(".cpg")
    claimed = encoding_of_cpg(cpg.read_text("latin-1")[:100]) if cpg.exists() else None
    if claimed is not None and all(_fits(text, claimed) for text in sample):
        return Choice(claimed)
    if all(_fits(text, UTF8) for text in sample):
        return Choice(UTF8)
    found = encoding_of_text(b"\n".join(_trimmed(text) for text in sample), f"the attributes of '{name}'")
    notes = [f"The .cpg says {claimed}, but the texts are {found} and are read so."] if claimed else []
    return Choice(found, notes)


def decode(text: str, encoding: str) -> str:
    """A text that came through as Latin-1, as it was meant; a character cut in half by the field's width is dropped."""
    raw = text.encode("latin-1", errors="replace")
    for cut in range(4):
        try:
            return raw[: len(raw) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode(encoding, errors="replace")


def decoded(values: pa.Array, encoding: str) -> pa.Array:
    """A column of texts that came through as Latin-1; other columns as they are."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    lookup = {text: decode(text, encoding) for text in pc.unique(values).to_pylist() if text is not None}
    return pa.array([None if text is None else lookup[text] for text in values.to_pylist()], pa.string())


def _texts(dbf: Path, name: str) -> list[bytes]:
    """The bytes of the field names and of text cells, as many as fit a sample."""
    header = _header(dbf, name)
    data = dbf.open("rb")
    with data:
        head = data.read(header.header_bytes)
        body = data.read(_SAMPLE)
    names = [head[at : at + 11].split(b"\0")[0] for at in range(32, header.header_bytes - 32, 32)]
    found = {text for text in names if text}
    for start in range(0, len(body) - header.record_bytes + 1, header.record_bytes):
        record = body[start : start + header.record_bytes]
        found.update(record[part].rstrip(b" \0") for part in header.text_slices)
    return [text for text in found if not text.isascii()]


def _header(dbf: Path, name: str) -> _Header:
    with dbf.open("rb") as file:
        start = file.read(32)
        if len(start) < 32:
            raise InputRefused(f"The .dbf of '{name}' is damaged or cut off.")
        n_records, header_bytes, record_bytes = struct.unpack("<IHH", start[4:12])
        fields = file.read(max(header_bytes - 32, 0))
    if header_bytes < 33 or record_bytes < 1:
        raise InputRefused(f"The .dbf of '{name}' is damaged: its header makes no sense.")
    slices, at = [], 1
    for offset in range(0, len(fields) - 31, 32):
        if fields[offset] == 0x0D:
            break
        width = fields[offset + 16]
        if fields[offset + 11 : offset + 12] == b"C":
            slices.append(slice(at, at + width))
        at += width
    return _Header(n_records, header_bytes, record_bytes, tuple(slices))


def _fits(text: bytes, encoding: str) -> bool:
    for cut in range(4):
        try:
            text[: len(text) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _trimmed(text: bytes) -> bytes:
    """The text without the half character that a full field may end with."""
    for cut in (0, 1):
        part = text[: len(text) - cut]
        if _fits(part, "gb18030") and len(part.decode("gb18030", errors="ignore").encode("gb18030")) == len(part):
            return part
    return text
