"""The simulation of sustained loads tells steady ones from slower ones."""

import numpy as np

from edge_bench.bench.stats.ratios import Verdict
from studies.sustained.simulation import CASES, NOISES, simulate


def test_known_changes_are_found_in_recorded_noise() -> None:
    def judged(case: str, noise: str) -> list[Verdict]:
        generator = np.random.default_rng(0)
        return [simulate(generator, NOISES[noise], CASES[case]).verdict for _ in range(20)]

    assert set(judged("steady", "quiet")) == {Verdict.SAME}
    assert Verdict.SLOWER not in judged("1 % slower in the middle", "as recorded")
    assert set(judged("12 % slower in the middle", "as recorded")) == {Verdict.SLOWER}
