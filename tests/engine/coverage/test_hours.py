"""Opening hours as they are written."""

import pytest

from onemap.engine.coverage.hours import is_open, week_minute
from onemap.errors import InvalidValue


@pytest.mark.parametrize(
    ("hours", "moment", "answer"),
    [
        ("24/7", "Sun 03:00", True),
        ("Mo-Fr 08:00-18:00", "Tue 09:30", True),
        ("Mo-Fr 08:00-18:00", "周六 09:30", False),
        ("Mo-Fr 08:00-12:00,14:00-18:00; Sa 09:00-12:00", "Wed 13:00", False),
        ("Mo-Fr 08:00-12:00,14:00-18:00; Sa 09:00-12:00", "Sat 11:59", True),
        ("Mo-Su 08:00-20:00; Su off", "Sun 10:00", False),
        ("08:00-20:00", "周日 19:59", True),
        ("20:00-02:00", "Mon 01:00", True),
        ("Su 20:00-02:00", "Mon 01:00", True),
        ("Sa-Mo 10:00-12:00", "Sun 11:00", True),
        ("Mo-Fr 08:00-18:00", "Tue 18:00", False),
        ("by appointment", "Tue 09:30", None),
        ("sunrise-sunset", "Tue 09:30", None),
        ("", "Tue 09:30", None),
        (None, "Tue 09:30", None),
    ],
)
def test_hours_cover_a_moment_or_cannot_be_read(hours, moment, answer):
    assert is_open(hours, week_minute(moment)) is answer


@pytest.mark.parametrize("text", ["tomorrow", "Tue", "Tue 25:00", "09:00"])
def test_a_moment_that_is_none_gets_a_sentence(text):
    with pytest.raises(InvalidValue, match="moment of the week"):
        week_minute(text)
