"""Whether a facility is open at a moment of the week, from hours as OpenStreetMap and most registers write them."""

from __future__ import annotations

import re

from onemap.errors import InvalidValue

_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_WORDS = {
    "mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6,
    "周一": 0, "周二": 1, "周三": 2, "周四": 3, "周五": 4, "周六": 5, "周日": 6, "周天": 6,
}  # fmt: skip
_WEEK_MIN = 7 * 24 * 60
_DAY_RANGE = re.compile(rf"({'|'.join(_DAYS)})(?:\s*-\s*({'|'.join(_DAYS)}))?")
_TIME_RANGE = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–~至]\s*(\d{1,2})[:：](\d{2})")


def week_minute(text: str) -> int:
    """
    A moment of the week in minutes since Monday 0:00, from "Tue 09:30" or "周二 09:30".

    >>> week_minute("Tue 00:10")
    1450
    """
    match = re.fullmatch(r"\s*(\S+?)\s+(\d{1,2}):(\d{2})\s*", text)
    day = _day(match[1]) if match else None
    if match is None or day is None or int(match[2]) > 23 or int(match[3]) > 59:
        raise InvalidValue(
            f"'{text}' is not a moment of the week: write a day and a time, such as Tue 09:30 or 周二 09:30."
        ).in_chinese(f"“{text}”不是一周中的时刻：写星期和时间，例如 周二 09:30。")
    return day * 1440 + int(match[2]) * 60 + int(match[3])


def is_open(hours: str | None, minute: int) -> bool | None:
    """
    Whether the hours cover a moment of the week; None where they say nothing that can be read.

    Understands "24/7", "Mo-Fr 08:00-12:00,14:00-18:00; Sa 09:00-12:00", "08:00-20:00", "off"; a later rule replaces an
    earlier one for the days it names. Public holidays are not told apart.
    """
    if hours is None or not hours.strip():
        return None
    text = hours.strip().lower()
    if text in ("24/7", "24小时", "全天"):
        return True
    rules = [_rule(part) for part in text.split(";") if part.strip() and not part.strip().startswith(("ph", "sh"))]
    if not rules or any(rule is None for rule in rules):
        return None
    by_day: dict[int, list[tuple[int, int]]] = {day: [] for day in range(7)}
    for rule in rules:
        if rule is not None:
            days, spans = rule
            by_day.update(dict.fromkeys(days, spans))
    return any(
        (minute - (day * 1440 + begin)) % _WEEK_MIN < (end - begin if end > begin else end + 1440 - begin)
        for day, spans in by_day.items()
        for begin, end in spans
    )


def _day(word: str) -> int | None:
    lowered = word.lower()
    return _WORDS.get(lowered, _WORDS.get(lowered[:3], _DAYS.index(lowered[:2]) if lowered[:2] in _DAYS else None))


def _rule(text: str) -> tuple[list[int], list[tuple[int, int]]] | None:
    """One rule as days and spans of minutes within a day; None where it cannot be read."""
    days: list[int] = []
    for first, last in _DAY_RANGE.findall(text):
        begin = _DAYS.index(first)
        end = _DAYS.index(last) if last else begin
        days += [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]
    spans = [(int(a) * 60 + int(b), int(c) * 60 + int(d)) for a, b, c, d in _TIME_RANGE.findall(text)]
    rest = _TIME_RANGE.sub("", _DAY_RANGE.sub("", text)).replace(",", "").strip()
    if rest in ("off", "closed") and not spans:
        return days or list(range(7)), []
    if rest or not spans or any(begin > 1440 or end > 1440 for begin, end in spans):
        return None
    return days or list(range(7)), spans
