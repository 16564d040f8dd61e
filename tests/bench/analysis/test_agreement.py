"""The same model on two machines: counted on the images both saw, each flip by name."""

import numpy as np

from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.runs.cross_machine import across_table
from edge_bench.bench.analysis.comparison import compare
from tests.factories import cut, machine, result, row, run

PI = machine(hostname="pi", architecture="aarch64", emulated=True, emulation_signs=["a sign"])


def test_each_configuration_is_set_beside_its_own_kind_on_the_other_machine() -> None:
    host = run(result("keras", "tensorflow", 1, wrong=20), result("dynamic", "litert", 1, wrong=2))
    edge = run(result("dynamic", "litert", 9, wrong=3), result("int8", "litert", 9), on=PI)
    rows = compare([host, edge]).rows
    assert [bool(found.across) for found in rows] == [False, False, True, False]
    across = rows[2].across
    assert across is not None
    assert (across.same, across.total, across.correct_here, across.correct_there) == (99, 100, 97, 98)
    (flip,) = across.flips
    assert flip.image == 2
    assert "desk" in across.there


def test_only_images_that_both_saw_are_counted() -> None:
    indices = np.arange(0, 100, 4)
    edge_result = result("dynamic", "litert", 9)
    host = run(result("dynamic", "litert", 1))
    edge = run(cut(edge_result, 25), on=PI, indices=indices)
    across = next(r for r in compare([host, edge]).rows if r.emulated).across
    assert across is not None
    assert across.total == 25


def test_two_runs_of_one_machine_have_no_such_row_and_no_such_table() -> None:
    comparison = compare([run(result("dynamic", "litert", 1)), run(result("dynamic", "litert", 1))])
    assert [found.across for found in comparison.rows] == [None, None]
    assert across_table(comparison) is None


def test_the_table_names_the_images_that_flip() -> None:
    host, edge = run(result("dynamic", "litert", 1)), run(result("dynamic", "litert", 9, wrong=8), on=PI)
    table = across_table(compare([host, edge]))
    assert table is not None
    text = render(table, Format.TABLE)
    for words in ("EMULATED", "92", "image 0 (", "3 more"):
        assert words in text, text


def test_the_agreement_with_the_baseline_stays_beside_it() -> None:
    host = run(result("keras", "tensorflow", 1, wrong=20), result("dynamic", "litert", 1, wrong=2))
    light = row(compare([host]), "dynamic", "litert")
    assert light.agreement is not None
    assert light.agreement.same == 82
