"""The same model on two machines: agreement on common images, and the images whose labels flip."""

import msgspec
import numpy as np

from edge_bench.app.tables.runs.cross_machine import across_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Run
from tests.bench.messages import numbers_in
from tests.factories import cut, machine, result, row, run

PI = machine(hostname="pi", architecture="aarch64", emulated=True, emulation_signs=["a sign"])


def test_each_configuration_is_compared_with_its_counterpart_on_the_other_machine() -> None:
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


def test_only_images_that_both_machines_classified_are_counted() -> None:
    indices = np.arange(0, 100, 4)
    edge_result = result("dynamic", "litert", 9)
    host = run(result("dynamic", "litert", 1))
    edge = run(cut(edge_result, 25), on=PI, indices=indices)
    across = next(r for r in compare([host, edge]).rows if r.emulated).across
    assert across is not None
    assert across.total == 25


def test_two_runs_of_one_machine_have_no_cross_machine_agreement() -> None:
    comparison = compare([run(result("dynamic", "litert", 1)), run(result("dynamic", "litert", 1))])
    assert [found.across for found in comparison.rows] == [None, None]
    assert across_table(comparison) is None


def test_the_table_lists_the_images_whose_labels_flip() -> None:
    def from_image_100(whole: Run) -> Run:
        images = msgspec.structs.replace(whole.images, indices=pack(np.arange(100, 200)), total_images=200)
        return msgspec.structs.replace(whole, images=images)

    host, edge = run(result("dynamic", "litert", 1)), run(result("dynamic", "litert", 9, wrong=28), on=PI)
    table = across_table(compare([from_image_100(host), from_image_100(edge)]))
    assert table is not None
    (row_cells,), (note,) = table.rows, table.notes
    assert {PI.label, "dynamic", "litert", "72", "28"} <= set(row_cells)
    listed = [number for number in numbers_in(note) if number >= 100]
    assert listed == list(range(100, 100 + len(listed)))
    assert 0 < len(listed) < 28
    assert 28 - len(listed) in numbers_in(note)


def test_the_agreement_with_the_baseline_is_computed_too() -> None:
    host = run(result("keras", "tensorflow", 1, wrong=20), result("dynamic", "litert", 1, wrong=2))
    light = row(compare([host]), "dynamic", "litert")
    assert light.agreement is not None
    assert light.agreement.same == 82
