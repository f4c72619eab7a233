"""Which encoding a text is in: UTF-8 where it can be, Chinese encodings where they make sense, no guess beyond."""

from __future__ import annotations

import codecs

from onemap.errors import InputRefused, UsageError

UTF8, GBK = "utf-8", "gb18030"

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PLAIN_SHARE = 0.8


def encoding_of(sample: bytes, what: str) -> str:
    """The encoding of a text; ``InputRefused`` where it is neither Unicode nor Chinese."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if _decodes(sample, UTF8):
        return UTF8
    if _is_chinese(sample, GBK):
        return GBK
    if _is_chinese(sample, "big5"):
        return "big5"
    raise InputRefused(f"The encoding of {what} is neither UTF-8 nor GBK; name it with --encoding.")


def known_encoding(name: str) -> str:
    """A person's name of an encoding, as Python knows it; GBK and GB2312 are read as their superset GB18030."""
    try:
        found = codecs.lookup(name.strip()).name
    except LookupError as wrong:
        raise UsageError(f"'{name}' is no text encoding that we know.") from wrong
    return GBK if found in ("gbk", "gb2312", "gb18030", "cp936") else found


def encoding_of_cpg(text: str) -> str | None:
    """The encoding that a Shapefile's .cpg names ("UTF-8", "936", "GBK"); ``None`` where it says nothing known."""
    name = text.strip().strip("\x00").casefold().removeprefix("ansi ").removeprefix("oem ")
    numbers = {"936": "gbk", "54936": "gb18030", "65001": UTF8, "950": "big5", "1252": "cp1252", "88591": "latin-1"}
    try:
        return known_encoding(numbers.get(name, name))
    except UsageError:
        return None


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(sample: bytes, encoding: str) -> bool:
    """Whether most of what is not ASCII decodes to characters that people write, not to odd corners of the table."""
    if not _decodes(sample, encoding):
        return False
    text = codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=False)
    foreign = [character for character in text if ord(character) > 127]
    common = "gb2312" if encoding == GBK else encoding
    plain = sum(1 for character in foreign if _is_common(character, common))
    return bool(foreign) and plain / len(foreign) >= _PLAIN_SHARE


def _is_common(character: str, encoding: str) -> bool:
    if not (
        "\u4e00" <= character <= "\u9fff" or "\u3000" <= character <= "\u303f" or "\uff00" <= character <= "\uffef"
    ):
        return False
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
