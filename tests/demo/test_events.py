"""Five years of reports have a rhythm, hot spots and histories that add up."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tests.demo.conftest import NOW, Invented

_NOW = np.datetime64(NOW.replace(tzinfo=None), "s")
_EIGHT_HOURS = np.timedelta64(8, "h")


def test_80_000_events_over_five_years_end_now(invented: Invented) -> None:
    reported = invented.tables["events"].columns["reported_at"]
    assert len(reported) == 80_000
    assert reported.max() < _NOW
    assert _NOW - reported.max() < np.timedelta64(6, "h")
    assert np.timedelta64(1820, "D") < _NOW - reported.min() < np.timedelta64(1830, "D")
    assert (np.diff(reported) >= np.timedelta64(0, "s")).all()


def test_mornings_and_evenings_weekdays_and_seasons_differ(invented: Invented) -> None:
    events = invented.tables["events"].columns
    at = events["reported_at"] + _EIGHT_HOURS
    hour = (at - at.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)
    by_hour = np.bincount(hour, minlength=24)
    assert by_hour[9] > 8 * by_hour[3]
    assert by_hour[18] > by_hour[13]
    weekday = (at.astype("datetime64[D]").astype(int) + 3) % 7
    by_day = np.bincount(weekday, minlength=7)
    assert by_day[0] > 1.2 * by_day[6]
    month = at.astype("datetime64[M]").astype(int) % 12 + 1
    noise = Counter(month[events["kind"] == "noise"].tolist())
    assert noise[7] > 1.5 * noise[1]


def test_few_places_see_most_events(invented: Invented) -> None:
    per_grid = np.sort(np.array(list(Counter(invented.tables["events"].columns["grid_code"]).values())))[::-1]
    assert len(per_grid) == 29
    assert per_grid[0] > 4 * per_grid[-1]


def test_kinds_have_their_titles_and_most_are_of_level_one(invented: Invented) -> None:
    events = invented.tables["events"].columns
    titles = dict(zip(events["kind"], events["title"], strict=True))
    assert titles["elevator"] == "电梯困人"
    assert titles["gas"] == "燃气异味"
    assert len(set(titles.values())) == len(titles) >= 20
    levels = Counter(events["level"].tolist())
    assert levels[1] / 80_000 > 0.75
    assert levels[1] > levels[2] > levels[3] > levels[4] > 0


def test_45_are_open_6_of_them_late_with_the_levels_of_the_screens(invented: Invented) -> None:
    events = invented.tables["events"].columns
    is_open = np.isnat(events["closed_at"])
    assert Counter(events["level"][is_open].tolist()) == {1: 27, 2: 12, 3: 5, 4: 1}
    assert (events["deadline_at"][is_open] < _NOW).sum() == 6
    assert not set(events["state"][is_open]) & {"closed", "rated", "archived"}
    assert set(events["state"][~is_open]) <= {"closed", "rated", "archived", "void", "merged"}


def test_answers_come_in_six_minutes_and_close_in_time_inside_the_grid(invented: Invented) -> None:
    events = invented.tables["events"].columns
    closed = ~np.isnat(events["closed_at"])
    response = (events["responded_at"] - events["reported_at"])[closed].astype(float) / 60
    assert 5.5 < np.median(response) < 7.0
    on_time = (events["closed_at"] <= events["deadline_at"])[closed].mean()
    assert 0.94 < on_time < 0.98
    assert 0.80 < (events["resolved_at_level"][closed] == "grid").mean() < 0.85


def test_times_of_an_event_are_in_their_order_and_none_is_to_come(invented: Invented) -> None:
    events = invented.tables["events"].columns
    closed = ~np.isnat(events["closed_at"])
    answered = ~np.isnat(events["responded_at"])
    assert (events["responded_at"] >= events["reported_at"])[answered].all()
    assert (events["closed_at"] >= events["responded_at"])[closed & answered].all()
    assert (events["closed_at"][closed] <= _NOW).all()
    assert (events["deadline_at"] > events["reported_at"]).all()


def test_a_history_leads_to_the_state_of_its_event(invented: Invented) -> None:
    events, log = invented.tables["events"].columns, invented.tables["event_actions"].columns
    states = dict(zip(events["event_no"], events["state"], strict=True))
    numbers = log["event_no"]
    last = np.r_[numbers[1:] != numbers[:-1], True]
    assert last.sum() == 80_000
    assert all(states[n] == s for n, s in zip(numbers[last], log["to_state"][last], strict=True))
    same = ~last[:-1]
    assert (np.diff(log["seq"])[same] == 1).all()
    assert (np.diff(log["at"])[same] >= np.timedelta64(0, "s")).all()
    assert (log["at"] <= _NOW).all()
    first = np.r_[True, last[:-1]]
    assert (log["to_state"][first] == "reported").all()


def test_ratings_are_given_by_those_who_rated(invented: Invented) -> None:
    events = invented.tables["events"].columns
    rated = ~np.ma.getmaskarray(events["rating"])
    assert rated[events["state"] == "rated"].all()
    assert not rated[np.isnat(events["closed_at"])].any()
    assert 4.3 < events["rating"].compressed().mean() < 4.8
