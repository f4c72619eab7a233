"""Siting: exact on small cases beside spopt, swaps with a bound at city size."""

from __future__ import annotations

from typing import Any

import network_peers as peers
import numpy as np
from network_table import Row, bounded, timed

from onemap.engine.siting.models import cover_savings, median_savings, most_saved
from onemap.engine.siting.travel import Travel

_LIMIT = 0.08


def bench_exact(limit_s: float) -> list[Row]:
    """MCLP 200 x 50 and 2,000 x 500, model building included."""
    rng, rows = np.random.default_rng(5), []
    why = peers.absent("spopt")
    for n_demand, n_candidate, p, goal in ((200, 50, 5, 0.0), (2000, 500, 20, 15.0)):
        seconds, weight = plane(rng, n_demand, n_candidate)
        choice, s = timed(
            lambda seconds=seconds, weight=weight, p=p: most_saved(
                cover_savings(Travel.from_matrix(seconds), weight, _LIMIT), p
            )
        )
        what = f"siting: MCLP {n_demand:,} x {n_candidate}, {p} sites, exact, model building included"
        asked = "equal" + (f", >= {goal:g}x" if goal else "")
        try:
            theirs = None if why else bounded(peers.spopt_mclp, seconds, weight, _LIMIT, p, limit_s=limit_s)
        except TimeoutError as late:
            theirs, why = None, f"spopt {late}"
        if theirs is None:
            rows.append(Row(what, f"{s:.3f} s, {choice.value:.0f}", str(why), None, asked))
            continue
        equal = abs(theirs["objective"] - choice.value) < 1e-6
        rows.append(
            Row(what, f"{s:.3f} s, {choice.value:.0f}", f"spopt {theirs['s']:.2f} s, {theirs['objective']:.0f}",
                theirs["s"] / s, asked, equal and theirs["s"] / s >= goal)
        )  # fmt: skip
    return rows


def bench_city() -> list[Row]:
    """100,000 x 2,000 with 50 sites, sparse and dense."""
    rng, rows = np.random.default_rng(5), []
    for name, limit, most in (("sparse", 0.03, 0.01), ("dense", 0.12, 0.03)):
        seconds, weight = plane(rng, 100_000, 2000)
        seconds[seconds > limit] = np.inf
        walks = Travel.from_matrix(seconds)
        del seconds
        for model, savings in (
            ("MCLP", cover_savings(walks, weight, limit)),
            ("p-median", median_savings(walks, weight, np.full(100_000, limit))),
        ):
            choice, s = timed(lambda v=savings: most_saved(v, 50, exact=False, time_limit_s=12.0))
            rows.append(
                Row(f"siting: {model} 100,000 x 2,000 {name}, 50 sites",
                    f"{s:.1f} s, {choice.value:.8g} <= {choice.bound:.8g}, gap {100.0 * choice.gap:.2f} %", "", None,
                    f"<= {100.0 * most:g} % in <= 15 s", choice.gap <= most and s <= 15.0)
            )  # fmt: skip
    return rows


def plane(rng: np.random.Generator, n_demand: int, n_candidate: int) -> tuple[Any, Any]:
    """Straight distances in the unit square (n_candidate, n_demand), and households."""
    demand, candidate = rng.random((n_demand, 2)), rng.random((n_candidate, 2))
    seconds = np.empty((n_candidate, n_demand))
    for j in range(n_candidate):
        seconds[j] = np.hypot(candidate[j, 0] - demand[:, 0], candidate[j, 1] - demand[:, 1])
    return seconds, rng.integers(1, 50, n_demand).astype(float)
