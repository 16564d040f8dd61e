"""Files that are written as a whole."""

import os
import stat
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import write_atomically


def test_a_device_or_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(BadInput, match=path.name):
            write_atomically(path, b"data")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "pipe"]
