"""Images without a label in a Run: their positions have to fit it."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.labels.agreement import CrossMachineAgreements
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import UNCLASSIFIED, UNSEEN
from edge_bench.bench.records.run_validation import check_run
from tests.factories import machine, result, run


def test_unclassified_images_are_seen_and_wrong() -> None:
    made = msgspec.structs.replace(
        result("float32", "litert", 1.0), unseen_positions=pack([3]), unclassified_positions=pack([0, 99])
    )
    whole = run(made)
    check_run(whole)
    labels = made.labels()
    assert labels[[0, 3, 99]].tolist() == [UNCLASSIFIED, UNSEEN, UNCLASSIFIED]
    assert whole.correct(made) == (97, 99)
    assert not whole.scored(made) or whole.labelled
    streamed = msgspec.structs.replace(whole, settings=msgspec.structs.replace(whole.settings, stateful=True))
    assert not streamed.scored(made)


@pytest.mark.parametrize(
    "changes",
    [
        {"unclassified_positions": pack([100])},
        {"unseen_positions": pack([3]), "unclassified_positions": pack([3])},
        {"tied_images": 101},
    ],
)
def test_positions_outside_the_images_are_refused(changes: dict[str, object]) -> None:
    made = msgspec.structs.replace(result("float32", "litert", 1.0), **changes)
    with pytest.raises(ValueError, match=next(reversed(changes))):
        check_run(run(made))


def test_unclassified_images_differ_on_two_machines() -> None:
    made = msgspec.structs.replace(result("float32", "litert", 1.0), unclassified_positions=pack([5]))
    agreement = CrossMachineAgreements(run(made, on=machine(hostname="pi"))).with_result(run(made), made)
    assert agreement is not None
    assert (agreement.same, agreement.total) == (99, 100)
    (flip,) = agreement.flips
    assert flip.here == flip.there == "unclassified"
    assert np.count_nonzero(made.labels() < 0) == 1
