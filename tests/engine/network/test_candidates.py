"""Who should go, and why the others were passed over."""

from __future__ import annotations

import numpy as np

from onemap.engine.network.candidates import choose
from onemap.engine.network.index import snap
from onemap.engine.network.responders import ResponderIndex
from onemap.engine.network.roster import Ask, Roster
from tests.engine.network.towns import streets, walk


def asked(ask, **changes):
    """Five responders at 100, 200, ... metres east of the event on one street; changes replace columns."""
    network = walk(streets([(0, 0), (1000, 0)], [[0, 1]]))
    x, y = np.arange(100.0, 600.0, 100.0), np.zeros(5)
    x, y = changes.pop("x", x), changes.pop("y", y)
    columns = {
        "on_duty": np.ones(5, dtype=bool),
        "skills": [frozenset({"medic"})] * 5,
        "age_s": np.zeros(5),
        "n_tasks": np.zeros(5, dtype=np.int64),
        "area": ["340104001001"] * 5,
        "role": ["patrol_team"] * 5,
        "grid_code": [""] * 5,
        **changes,
    }
    roster = Roster(ids=list("abcde"), x=x, y=y, **columns)
    index = ResponderIndex(network)
    index.place(np.arange(5), snap(network, x, y))
    candidates, skipped = choose(index, snap(network, np.zeros(1), np.zeros(1)), (0.0, 0.0), roster, ask)
    return [one.id for one in candidates], {one.id: one.reason_code for one in skipped}, candidates


def test_the_soonest_come_first_and_nobody_else_is_called_skipped():
    ids, skipped, candidates = asked(Ask(k=3))
    assert ids == ["a", "b", "c"]
    assert skipped == {}
    assert [one.method for one in candidates] == ["network"] * 3
    assert [round(one.metres) for one in candidates] == [100, 200, 300]


def test_everybody_passed_over_has_a_reason():
    ids, skipped, _ = asked(
        Ask(k=5, skills=frozenset({"medic"}), max_age_s=600.0, max_tasks=2, max_seconds=450.0),
        on_duty=np.array([False, True, True, True, True]),
        skills=[frozenset(), frozenset(), frozenset({"medic"}), frozenset({"medic"}), frozenset({"medic", "fire"})],
        age_s=np.array([0.0, 0.0, 3600.0, 0.0, 0.0]),
    )
    assert ids == ["d"]
    assert skipped == {"a": "off_duty", "b": "wrong_skill", "c": "stale", "e": "too_far"}


def test_the_officer_of_the_grid_attends_whatever_the_distance():
    ids, _, candidates = asked(Ask(k=2, own_grid="340104001001008"), grid_code=["", "", "", "", "340104001001008"])
    assert ids == ["e", "a"]
    assert candidates[0].reason_code == "own_grid"


def test_the_joint_team_may_come_from_another_area():
    areas = ["340104002001", "340104002001", "340104001001", "340104001001", "340104001001"]
    roles = ["joint_team", "patrol_team", "patrol_team", "patrol_team", "patrol_team"]
    at_home, skipped, _ = asked(Ask(k=2, area="340104001001"), area=areas, role=roles)
    assert at_home == ["c", "d"]
    assert skipped == {"a": "other_area", "b": "other_area"}
    pulled, _, _ = asked(
        Ask(k=2, area="340104001001", roles_from_anywhere=frozenset({"joint_team"})), area=areas, role=roles
    )
    assert pulled == ["a", "c"]


def test_a_responder_off_the_network_is_offered_by_straight_line_and_last():
    ids, _, candidates = asked(Ask(k=5), x=np.array([0.0, 200.0, 300.0, 400.0, 500.0]), y=np.array([900.0, 0, 0, 0, 0]))
    assert ids == ["b", "c", "d", "e", "a"]
    assert candidates[-1].method == "straight_line"
    assert candidates[-1].snap_m is None
    assert "no street lies within 500 m" in candidates[-1].reason


def test_every_candidate_says_all_that_speaks_for_it_and_first_what_counts_most():
    _, _, candidates = asked(
        Ask(
            k=5, area="340104001", own_grid="G1", grid="G1", neighbours=frozenset({"G2"}), useful_skills=frozenset({"gas"}),
            roles_from_anywhere=frozenset({"joint_team"}),
        ),
        grid_code=["G3", "G2", "", "G1", "G2"],
        skills=[frozenset(), frozenset(), frozenset({"gas", "fire"}), frozenset(), frozenset({"gas"})],
        area=["340104001001", "340104001001", "340104002001", "340104001001", "340104001001"],
        role=["grid_officer", "grid_officer", "joint_team", "grid_officer", "grid_officer"],
    )  # fmt: skip
    assert {one.id: one.reason_codes for one in candidates} == {
        "d": ("own_grid", "soonest"),
        "a": ("soonest",),
        "b": ("neighbouring_grid", "soonest"),
        "c": ("has_skill", "called_in", "soonest"),
        "e": ("neighbouring_grid", "has_skill", "soonest"),
    }
    assert [one.id for one in candidates] == list("dabce")
    assert all(one.reason_code == one.reason_codes[0] for one in candidates)
    assert candidates[3].skills == ("gas",)
    assert candidates[4].reason.startswith("Officer of the neighbouring grid G2; has the skill gas; ")
    _, _, away = asked(
        Ask(k=5, grid="G1"),
        grid_code=["G1"] * 5,
        x=np.array([0.0, 200, 300, 400, 500]),
        y=np.array([900.0, 0, 0, 0, 0]),
    )
    assert away[-1].reason_codes == ("straight_line", "home_grid")
    assert away[0].reason_codes == ("home_grid", "soonest")
