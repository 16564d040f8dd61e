"""Lists and kinds of cores, and processes that are pinned to some of them."""

import os
import re
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options.cores import chosen_cores, stated_cores
from edge_bench.bench.system.cores import clusters, core_list, cores_in, online_cores, pinned
from edge_bench.bench.system.machine import describe_machine, usable_cores
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.system.tuning.settings import Plan
from edge_bench.bench.system.tuning.tune import change, restore
from edge_bench.bench.worker.process import WorkerProcess
from tests import trees
from tests.bench.system.tuning.machines import CPU, FakeKernel, big_little, pi_4

HERE = sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("text", "cores", "canonical"),
    [("0", [0], "0"), ("0-3", [0, 1, 2, 3], "0-3"), (" 6,0-1,1\n", [0, 1, 6], "0-1,6"), ("3,4", [3, 4], "3-4")],
)
def test_lists(text: str, cores: list[int], canonical: str) -> None:
    assert cores_in(text) == cores
    assert core_list(cores) == canonical


@pytest.mark.parametrize("text", ["", "3-1", "-1", "a", "0,,1", "0-99999", "1 2", "0x1"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cores"):
        cores_in(text)


def test_kinds_of_cores(tmp_path: Path) -> None:
    assert clusters(big_little(tmp_path / "board")) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert clusters(pi_4(tmp_path / "pi")) == [[0, 1, 2, 3]]
    intel = {"sys/devices/cpu_atom/cpus": "2-3\n", "sys/devices/cpu_core/cpus": "0-1\n", f"{CPU}/online": "0-3\n"}
    assert clusters(trees.write(tmp_path / "intel", intel)) == [[2, 3], [0, 1]]
    assert online_cores(trees.write(tmp_path / "old", {"proc/cpuinfo": "processor\t: 0\nprocessor\t: 1\n"})) == [0, 1]


def test_cores_by_kind_and_number(tmp_path: Path) -> None:
    board = big_little(tmp_path / "board")
    assert [stated_cores(each, board) for each in (None, "all", "big", "little", "7,6", [0, 2], 3)] == [
        None, "", "4-7", "0-3", "6-7", "0,2", "3",
    ]  # fmt: skip
    for wrong in ("8", "fast", [], [True], 1.5, "0-"):
        with pytest.raises(BadInput):
            stated_cores(wrong, board)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        stated_cores("big", pi_4(tmp_path / "pi"))


def test_a_governor_of_each_kind_is_recorded(tmp_path: Path) -> None:
    big_little(tmp_path)
    (tmp_path / f"{CPU}/cpufreq/policy6/scaling_governor").write_text("performance\n")
    assert describe_machine(tmp_path, "aarch64").governor == "performance, schedutil"


def test_workers_and_the_number_of_threads_follow_the_pinned_cores() -> None:
    one = HERE[-1]
    with pinned(chosen_cores([one])):
        assert usable_cores() == 1
        with WorkerProcess("litert") as worker:
            status = Path(f"/proc/{worker.pid}/status").read_text()
        with pytest.raises(BadInput), pinned(core_list({one, max(HERE) + 1})):
            pass
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE)
    assert found is not None
    assert found[1] == str(one)
    assert sorted(os.sched_getaffinity(0)) == HERE
    with pytest.raises(BadInput):
        chosen_cores(str(max(online_cores()) + 1))


def test_cores_that_tune_selected_are_the_default(tmp_path: Path) -> None:
    files = FakeKernel(pi_4(tmp_path))
    here = core_list(HERE[:1])
    assert chosen_cores(None, tmp_path) == ""
    change(files, lambda _: Plan(here), lambda *_: True)
    assert (chosen_cores(None, tmp_path), chosen_cores("all", tmp_path)) == (here, "")
    change(files, lambda _: Plan(str(max(HERE) + 1)), lambda *_: True)
    with pytest.raises(BadInput):
        chosen_cores(None, tmp_path)
    restore(files)
    assert chosen_cores(None, tmp_path) == ""


def test_load_and_clock_of_other_cores_do_not_count(tmp_path: Path) -> None:
    lines = ["cpu  60 0 0 9 0 0 0 6 0 0", "cpu0 10 0 0 9 0 0 0 1 0 0", "cpu1 20 0 0 9 0 0 0 2 0 0",
             "cpu2 30 0 0 9 0 0 0 3 0 0"]  # fmt: skip
    clocks = {f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq": f"{core + 1}000000\n" for core in range(4)}
    trees.write(tmp_path, {"proc/stat": "\n".join(lines)} | clocks)
    tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    read = [Sensors(tmp_path, cores=cores).read() for cores in (None, [0, 2], [7])]
    assert [each.busy_ns for each in read] == [60 * tick, 40 * tick, None]
    assert [each.steal_ns for each in read] == [6 * tick, 4 * tick, None]
    assert [each.other_cores_ns for each in read] == [None, 20 * tick, None]
    clocks_mhz = [(each.frequency_low_mhz, each.frequency_high_mhz) for each in read]
    assert clocks_mhz == [(1000, 4000), (1000, 3000), (None, None)]
