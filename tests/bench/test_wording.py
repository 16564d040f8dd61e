"""Counts, articles and sizes in messages."""

import pytest

from edge_bench.bench.wording import abbreviate, counted, listed, size, with_article


@pytest.mark.parametrize(
    ("count", "nouns", "text"),
    [
        (1, ["image"], "1 image"), (0, ["image"], "0 images"), (1000, ["image"], "1,000 images"),
        (1, ["process"], "1 process"), (2, ["process"], "2 processes"), (2, ["box"], "2 boxes"),
        (2, ["category"], "2 categories"), (2, ["day"], "2 days"), (2, ["batch"], "2 batches"),
        (2, ["axis"], "2 axes"), (30, ["epoch"], "30 epochs"),
        (2, ["link to a file", "links to files"], "2 links to files"),
    ],
)  # fmt: skip
def test_nouns_follow_their_counts(count: int, nouns: list[str], text: str) -> None:
    assert counted(count, *nouns) == text


AN = [
    "AMD EPYC", "Intel Xeon", "11th Gen Intel", "18-core", "8-core board", "Orange Pi", "Apple M1", "x86_64", "HP Mini",
    "NVIDIA Jetson", "NXP i.MX", "RK3588", "M1", "STM32", "S905X", "unknown board", "aarch64", "ODROID",
]  # fmt: skip
A = [
    "Raspberry Pi 4", "12th Gen Intel", "1 GB board", "118 board", "Jetson Nano", "Xeon", "RISC-V board", "ROCK 5B",
    "MacBook", "USB board", "universal board", "European board", "Firefly", "Made Board", "", "Lenovo", "Samsung",
]  # fmt: skip


@pytest.mark.parametrize("name", AN)
def test_an_before_the_sound_of_a_vowel(name: str) -> None:
    assert with_article(name) == f"an {name}"


@pytest.mark.parametrize("name", A)
def test_a_before_other_sounds(name: str) -> None:
    assert with_article(name) == f"a {name}"


def test_long_lists_are_abbreviated() -> None:
    assert abbreviate(["a", "b", "c"]) == "a, b, c"
    assert abbreviate(["a", "b", "c", "d"]) == "a, b, c and 1 more"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_end_with_and(names: list[str], text: str) -> None:
    assert listed(names) == text


def test_sizes_are_in_the_unit_that_fits() -> None:
    sizes = [135 << 10, 3 << 19, 150 << 20, (1 << 30) - 1, 3 << 29, 3700 << 20, 128 << 30]
    assert list(map(size, sizes)) == ["135 KiB", "1.5 MiB", "150 MiB", "1.0 GiB", "1.5 GiB", "3.6 GiB", "128 GiB"]
