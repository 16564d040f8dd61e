"""Plans, the files that every worker may read, and the process that applies a plan."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.python_process import module_environment
from edge_bench.bench.sandbox.files import system_reads
from edge_bench.bench.sandbox.launch import Access, Plan, sandboxed_command
from edge_bench.bench.sandbox.support import VARIABLE, Support, sandbox_support

needs_a_sandbox = pytest.mark.skipif(
    not sandbox_support().active, reason="this kernel offers no Landlock or no seccomp"
)
WHAT_IT_CAN_DO = """
import json, os, tempfile, threading
done = {}
def attempt(name, function):
    try:
        function()
        done[name] = 0
    except OSError as cause:
        done[name] = cause.errno
started = threading.Thread(target=lambda: done.update(thread=0))
started.start(); started.join()
attempt("model", lambda: open(os.environ["MODEL"], "rb").read())
attempt("other", lambda: open(os.environ["OTHER"], "rb").read())
attempt("scratch", lambda: tempfile.NamedTemporaryFile().write(b"x"))
attempt("rename", lambda: (open("a", "w").close(), os.rename("a", "b"), os.mkdir("c"), os.rename("b", "c/b")))
attempt("memory", lambda: os.write(os.memfd_create("x"), b"x"))
attempt("null", lambda: open(os.devnull, "w").write("x"))
attempt("self", lambda: open("/proc/self/status").read())
attempt("processors", lambda: (open("/proc/cpuinfo").read(), os.sched_setaffinity(0, os.sched_getaffinity(0))))
attempt("abort handler", lambda: os.kill(os.getpid(), 0))
attempt("core", lambda: 1 / 0 if __import__("resource").getrlimit(4)[0] else None)
print(json.dumps(done))
"""


def run_module(folder: Path, plan: Plan, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the module ``what`` of the folder in a sandbox."""
    (folder / "module").mkdir(exist_ok=True)
    (folder / "module/what.py").write_text(WHAT_IT_CAN_DO)
    inherited = module_environment(os.environ | {"PYTHONPATH": str(folder / "module")})
    return subprocess.run(
        [sys.executable, "-P", "-m", "edge_bench.bench.sandbox", plan.encode(), "what"],
        env=inherited | environment, capture_output=True, text=True, timeout=60,
        cwd=environment.get("TMPDIR", folder), check=False,
    )  # fmt: skip


@needs_a_sandbox
def test_a_worker_has_the_permissions_that_runtimes_need(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    (tmp_path / "other").write_text("x")
    (tmp_path / "scratch").mkdir()
    support = sandbox_support()
    plan = Plan(support.landlock, True, [str(tmp_path / "model")], [str(tmp_path / "scratch")])
    done = run_module(tmp_path, plan, MODEL=str(tmp_path / "model"), OTHER=str(tmp_path / "other"),
                      TMPDIR=str(tmp_path / "scratch"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("other") == 13
    assert len(found) == 10
    assert set(found.values()) == {0}, found


@needs_a_sandbox
def test_only_the_program_of_a_plan_can_be_executed(tmp_path: Path) -> None:
    """It runs under the same restrictions."""
    (tmp_path / "other").write_text("x")
    (tmp_path / "module").mkdir()
    (tmp_path / "module/become.py").write_text("import os, sys\nos.execv(sys.argv[1], sys.argv[1:])\n")
    support = sandbox_support()
    inherited = module_environment(os.environ | {"PYTHONPATH": str(tmp_path / "module")})
    codes = {}
    for allowed, program, argument in (
        ("", "/bin/echo", "done"), ("/bin/echo", "/bin/echo", "done"), ("/bin/echo", "/bin/cat", "/etc/localtime"),
        ("/bin/cat", "/bin/cat", str(tmp_path / "other")),
    ):  # fmt: skip
        plan = Plan(support.landlock, True, [], [], os.path.realpath(allowed) if allowed else "")
        done = subprocess.run(
            [sys.executable, "-P", "-m", "edge_bench.bench.sandbox", plan.encode(), "become", program, argument],
            env=inherited, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        codes[allowed, program] = done.returncode == 0, "PermissionError" in done.stderr
    assert codes == {
        ("", "/bin/echo"): (False, True),
        ("/bin/echo", "/bin/echo"): (True, False),
        ("/bin/echo", "/bin/cat"): (False, True),
        ("/bin/cat", "/bin/cat"): (False, False),  # cat runs, but may not read the file
    }


@needs_a_sandbox
def test_devices_of_a_plan_can_be_written_but_nothing_beside_them(tmp_path: Path) -> None:
    """A device is any file here: creating one would need root."""
    for name in ("devices", "module", "other"):
        (tmp_path / name).mkdir()
    for path in (tmp_path / "devices/usb", tmp_path / "other/file"):
        path.write_text("old")
    (tmp_path / "module/write.py").write_text(
        "import json, os, sys\n"
        "def attempt(path, flags):\n"
        "    try:\n        os.write(os.open(path, flags, 0o600), b'new')\n        return 0\n"
        "    except OSError as cause:\n        return cause.errno\n"
        "folder = sys.argv[1]\n"
        "print(json.dumps([attempt(folder + '/devices/usb', os.O_RDWR), attempt(folder + '/other/file', os.O_RDWR),\n"
        "                  attempt(folder + '/devices/new', os.O_CREAT | os.O_WRONLY)]))\n"
    )
    support = sandbox_support()
    found = {}
    for devices in ([], [str(tmp_path / "devices")]):
        plan = Plan(support.landlock, True, [], [], devices=devices)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "edge_bench.bench.sandbox", plan.encode(), "write", str(tmp_path)],
            env=module_environment(os.environ | {"PYTHONPATH": str(tmp_path / "module")}),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        found[bool(devices)] = json.loads(done.stdout)
    assert found == {False: [13, 13, 13], True: [0, 13, 13]}
    assert (tmp_path / "devices/usb").read_text() == "new"


@needs_a_sandbox
def test_a_plan_that_cannot_be_applied_stops_the_process_before_its_module(tmp_path: Path) -> None:
    """In a sandbox there is no second one."""
    support = sandbox_support()
    plan = Plan(support.landlock, True, [], [])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "edge_bench.bench.sandbox", plan.encode(), "edge_bench.bench.sandbox",
         plan.encode(), "edge_bench.bench.worker"],
        env=module_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert os.strerror(1) in done.stderr
    assert "Traceback" not in done.stderr


def test_names_that_are_not_utf8_survive_a_plan(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"m\xff\n.tflite")
    *_, text, module = sandboxed_command("x", Access(read=[odd], scratch=tmp_path), Support(1, seccomp=True))
    assert text.isascii()
    plan = Plan.decode(text)
    assert (plan.read, plan.write, module) == ([str(odd)], [str(tmp_path)], "x")


@pytest.mark.parametrize("home", ["/", "/usr", "/usr/share", "/opt", sys.prefix, str(Path(sys.prefix).parent)])
def test_no_folder_with_the_home_directory_in_it_can_be_read(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", home)
    real = Path(home).resolve()
    reads = [path.resolve() for path in system_reads()]
    assert not [path for path in reads if real.is_relative_to(path)]
    assert Path("/usr/lib").resolve() in reads or Path("/usr").resolve() in reads


@pytest.mark.parametrize("value", ["no", "OFF", "0", "\udcff"])
def test_an_unknown_value_of_the_variable_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(BadInput):
        sandbox_support()


def test_support_names_missing_kernel_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    off = sandbox_support()
    assert (off.parts, off.active) == ([], False)
    states = [Support(7, seccomp=True), Support(7, seccomp=False), Support(0, seccomp=True), Support(0, seccomp=False)]
    assert [(state.active, len(state.parts), bool(state.problem)) for state in states] == [
        (True, 2, False), (False, 1, True), (False, 1, True), (False, 0, True),
    ]  # fmt: skip


def test_the_folder_of_the_users_script_is_not_readable(tmp_path: Path) -> None:
    script = tmp_path / "analysis.py"
    script.write_text(
        "import sys, pathlib\n"
        "from edge_bench.bench.sandbox.files import system_reads\n"
        "own = pathlib.Path(__file__).parent\n"
        "print(str(own) in sys.path, own in system_reads())\n"
    )
    done = subprocess.run(
        [sys.executable, script], env=module_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]
