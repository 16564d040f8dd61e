"""The import of TensorFlow, in a process of its own."""

import subprocess
import sys

import pytest

_SCRIPT = """
import sys
from edge_bench.bench.runtimes.tensorflow.importing import import_tensorflow
import_tensorflow()
import keras, tensorflow
loaded = [name for name in ("matplotlib", "pandas", "sklearn") if name in sys.modules]
import sklearn
print(loaded, keras.backend.backend(), tensorflow.config.list_physical_devices("GPU"), sklearn.__name__)
"""


@pytest.mark.slow
def test_keras_takes_no_packages_with_it_that_can_still_be_imported_later() -> None:
    ended = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert ended.stdout.split("\n")[0] == "[] tensorflow [] sklearn"
