"""Memory that is available, within the limits of control groups."""

from pathlib import Path

import pytest

from edge_bench.bench.system.memory import available_memory, untimed_memory_limit

GB = 10**9


def machine(root: Path, files: dict[str, str]) -> Path:
    meminfo = "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\nSwapFree: 1000000 kB\n"
    for name, text in ({"proc/meminfo": meminfo} | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


FREE = 5_000_000 * 1024


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, FREE, id="no control groups"),
        pytest.param({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n",
                      "sys/fs/cgroup/memory.current": "5\n"}, FREE, id="no limit"),
        pytest.param({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": f"{2 * GB}\n",
                      "sys/fs/cgroup/memory.current": f"{GB}\n",
                      "sys/fs/cgroup/memory.stat": f"anon 1\ninactive_file {GB // 2}\n"}, 3 * GB // 2, id="version 2"),
        pytest.param({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": f"{2 * GB}\n",
                      "sys/fs/cgroup/a/memory.current": f"{GB}\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
                      "sys/fs/cgroup/a/b/memory.current": "5\n"}, GB, id="a group around the own one"),
        pytest.param({"proc/self/cgroup": "4:cpu:/x\n3:memory:/docker/1\n",
                      "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GB}\n",
                      "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{2 * GB}\n"}, 0, id="version 1, exceeded"),
        pytest.param({"proc/self/cgroup": "3:memory:/\n",
                      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                      "sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n"}, FREE, id="version 1 without a limit"),
        pytest.param({"proc/self/cgroup": "0::/../../x\nbroken\n"}, FREE, id="a name that leads out"),
    ],
)  # fmt: skip
def test_the_least_of_free_memory_and_limits_is_available(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    assert available_memory(machine(tmp_path, files)) == expected


def test_the_limit_of_untimed_workers_is_the_users_or_the_machines(tmp_path: Path) -> None:
    root = machine(tmp_path, {})
    assert untimed_memory_limit(123, root) == 123
    assert untimed_memory_limit(None, root) == FREE * 7 // 8
    small = machine(tmp_path, {"proc/meminfo": "MemAvailable: 100000 kB\n"})
    assert untimed_memory_limit(None, small) == 4 << 30  # runtimes reserve more than they use
