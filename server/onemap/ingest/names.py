"""When two column names mean the same: widths, cases, blanks, underscores and bracketed units do not count."""

from __future__ import annotations

import re
import unicodedata

_BRACKETED = re.compile(r"[(\[【][^)\]】]*[)\]】]")
_JOINTS = re.compile(r"[\s_\-.:*/#]+")


def plain_name(name: str) -> str:
    """A column name reduced to what it says: "户数（户）", "Building_ID " -> "户数", "buildingid"."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return _JOINTS.sub("", _BRACKETED.sub("", text)) or _JOINTS.sub("", text)


#: What stands in for a formula cell without a stored value: this, then the cell's address.
FORMULA = "\0formula "


def formula_reason(value: object) -> str | None:
    """Why a cell has no value, where it is a formula that nobody computed."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"formula without a stored value in cell {value.removeprefix(FORMULA)}"
    return None
