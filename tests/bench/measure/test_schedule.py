"""The order of trials, and the draw of images."""

from collections import Counter

import numpy as np
import pytest

from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.measure.schedule import schedule


def test_thirty_trials_in_five_processes_are_six_rounds_of_all_configurations() -> None:
    generations = schedule(configurations=4, trials=30, processes=5, seed=1)
    assert [generation.number for generation in generations] == [0, 1, 2, 3, 4]
    assert [len(generation.rounds) for generation in generations] == [6] * 5
    for generation in generations:
        for order in generation.rounds:
            assert sorted(order) == [0, 1, 2, 3]


@pytest.mark.parametrize(("trials", "processes", "rounds"), [(7, 3, [3, 2, 2]), (2, 5, [1, 1]), (1, 1, [1])])
def test_trials_are_spread_as_evenly_as_possible(trials: int, processes: int, rounds: list[int]) -> None:
    assert [len(generation.rounds) for generation in schedule(2, trials, processes, 0)] == rounds


def test_the_order_depends_on_the_seed_only() -> None:
    assert schedule(6, 30, 5, seed=1) == schedule(6, 30, 5, seed=1)
    assert schedule(6, 30, 5, seed=1) != schedule(6, 30, 5, seed=2)
    first_places = Counter(order[0] for generation in schedule(3, 300, 5, 0) for order in generation.rounds)
    assert min(first_places.values()) > 60  # a hundred each are expected


def test_each_repeat_of_a_run_has_an_order_of_its_own() -> None:
    single, *repeats = (schedule(6, 30, 5, 1, repeat=number) for number in range(5))
    assert repeats[0] == single
    assert all(repeats[a] != repeats[b] for a in range(4) for b in range(a))
    assert [[sorted(order) for order in generation.rounds] for generation in repeats[3]] == [[[*range(6)]] * 6] * 5


def test_a_draw_is_even_over_classes_even_if_the_file_is_sorted_by_class() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 100)
    drawn = draw_evenly(labels, 55, seed=3)
    assert len(set(drawn.tolist())) == 55
    assert set(Counter(labels[drawn].tolist()).values()) == {5, 6}
    assert drawn.tolist() == sorted(drawn.tolist())


def test_a_draw_takes_more_of_large_classes_only_when_small_ones_are_used_up() -> None:
    labels = np.array([0] * 3 + [1] * 97, dtype=np.uint8)
    assert Counter(labels[draw_evenly(labels, 20, 0)].tolist()) == {0: 3, 1: 17}


def test_a_draw_depends_on_its_seed_and_no_limit_takes_all() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 200).astype(np.uint8)
    assert draw_evenly(labels, 50, 1).tolist() == draw_evenly(labels, 50, 1).tolist()
    assert draw_evenly(labels, 50, 1).tolist() != draw_evenly(labels, 50, 2).tolist()
    assert draw_evenly(labels, None, 1).tolist() == draw_evenly(labels, 1000, 1).tolist() == list(range(200))
