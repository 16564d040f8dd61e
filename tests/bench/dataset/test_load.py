"""Examples in the shape that a model takes."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.dataset.load import find_examples
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.progress import Silent


@pytest.mark.parametrize(
    ("data", "model", "transpose"),
    [
        ((3, 8, 8), (8, 8, 3), True),
        ((3, 8, 6), (8, 6, 3), True),
        ((4, 8, 8), (8, 8, 4), True),
        ((3, 9, 9), (8, 8, 3), False),
        ((8, 3, 8), (3, 8, 8), False),
        ((3, 6, 8), (8, 6, 3), False),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_array_of_another_shape_is_refused_with_the_remedy_for_it(
    tmp_path: Path, data: tuple[int, ...], model: tuple[int, ...], transpose: bool, dtype: type
) -> None:
    options = DataOptions(data=tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", np.zeros((2, *data), dtype))
    with pytest.raises(DatasetError) as caught:
        find_examples(options, None, 0).inputs(model, options, 1.0, Silent())
    assert ("transpose(0, 2, 3, 1)" in caught.value.remedy) == transpose
