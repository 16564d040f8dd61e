"""Training on several machines in turn: the division of epochs, and what is refused before anything is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.app.fleet.docker.images import ImageSource
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.sequential_training import Share, TrainingJobSpec, shares, train_in_turn
from edge_bench.app.training.fit.checkpoints import TrainingSettings
from edge_bench.bench.errors import BadInput, BundleError
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle

ENGINES = [EngineSetting(name=name, url=f"ssh://me@{name}") for name in ("desk", "loft", "shed")]
SETTINGS = TrainingSettings(dataset="digits", epochs=3, batch_size=32)


def no_engine() -> None:
    raise AssertionError("no engine may be used")


@pytest.fixture
def source() -> Iterator[ImageSource]:
    source = ImageSource("edge-bench-host", no_engine)  # type: ignore[arg-type]
    yield source
    source.close()


@pytest.mark.parametrize(
    ("machines", "ends", "expected"),
    [
        (2, None, [(0, 50), (50, 100)]),
        (3, None, [(0, 33), (33, 67), (67, 100)]),
        (2, [75], [(0, 75), (75, 100)]),
        (3, [30, 60], [(0, 30), (30, 60), (60, 100)]),
        (1, None, [(0, 100)]),
    ],
)
def test_epochs_are_divided_without_gaps(
    machines: int, ends: list[int] | None, expected: list[tuple[int, int]]
) -> None:
    found = shares(ENGINES[:machines], 100, ends)
    assert found == [Share(engine, *share) for engine, share in zip(ENGINES, expected, strict=False)]


@pytest.mark.parametrize(("epochs", "ends"), [(100, [75]), (100, [60, 30]), (100, [50, 100]), (2, None)])
def test_a_machine_without_epochs_is_refused(epochs: int, ends: list[int] | None) -> None:
    with pytest.raises(BadInput) as caught:
        shares(ENGINES, epochs, ends)
    assert "--stop-after" in f"{caught.value.problem}; {caught.value.remedy}"


def test_a_finished_bundle_is_returned_only_with_resume_and_the_same_settings(
    bundle_copy: Path, source: ImageSource
) -> None:
    plan, spec = shares(ENGINES[:2], 3, None), TrainingJobSpec(bundle_copy, SETTINGS, source)
    with pytest.raises(BadInput) as caught:
        train_in_turn(spec, plan, Silent(), resume=False)
    assert str(bundle_copy) in caught.value.problem
    assert "--resume" in caught.value.remedy
    assert isinstance(train_in_turn(spec, plan, Silent(), resume=True), Bundle)
    other = TrainingSettings(dataset="digits", epochs=3, batch_size=32, seed=1)
    with pytest.raises(BadInput) as caught:
        train_in_turn(TrainingJobSpec(bundle_copy, other, source), plan, Silent(), resume=True)
    assert str(bundle_copy) in caught.value.problem
    (bundle_copy / "variants" / "int8.tflite").write_bytes(b"x")
    with pytest.raises(BundleError) as caught:
        train_in_turn(spec, plan, Silent(), resume=True)
    assert "int8.tflite" in caught.value.problem
