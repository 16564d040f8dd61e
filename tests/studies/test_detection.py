"""The population of images that the study of mean average precision draws from."""

import numpy as np

from edge_bench.bench.tasks.detection.resampling import mean_precision
from studies.calibration.detection import population


def test_both_detectors_see_the_same_images_and_the_noisy_one_is_no_better() -> None:
    exact, noisy = population(6, 0.0, 300), population(6, 0.2, 300)
    assert np.array_equal(exact.true_boxes, noisy.true_boxes)
    assert len(exact.image) == len(noisy.image)
    everything = np.ones(300, np.int64)
    assert 0.1 < mean_precision(noisy, everything) < mean_precision(exact, everything) < 0.9
