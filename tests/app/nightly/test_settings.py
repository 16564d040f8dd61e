"""The file edge-bench.toml: what it selects, and what is refused before anything is measured."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from edge_bench.app.nightly.settings.keys import as_keys
from edge_bench.app.nightly.settings.reading import THIS_MACHINE, folder_name, read_settings
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import Refuses, call_here
from tests.made.nights.fleet import settings_file

MODEL = '[[model]]\nbundle = "bundle"\n'
BAD = {
    "no model": "",
    "unknown key": f"{MODEL}[run]\ntrails = 3\n",
    "type": f'{MODEL}[run]\ntrials = "many"\n',
    "range": f"{MODEL}[run]\ntrials = 0\n",
    "threads": f'{MODEL}[run]\nthreads = "two"\n',
    "scenario": f'{MODEL}[run]\nscenario = "server"\n',
    "memory": f'{MODEL}[run]\nmemory_limit = "much"\n',
    "budget": f'{MODEL}[run]\nbudget = "soon"\n',
    "keep": f'keep = "a year"\n{MODEL}',
    "keep 0": f'keep = "0d"\n{MODEL}',
    "gate": f'{MODEL}[gate]\nslower = "-1%"\n',
    "gate without %": f'{MODEL}[gate]\nslower = "0.02"\n',
    "gate as a number": f"{MODEL}[gate]\nslower = 0.02\n",
    "gate with more": f'{MODEL}[gate]\nslower = "2%%"\n',
    "nowhere": f"{MODEL}[fleet]\nthis_machine = false\n",
    "no engine in the file": f'{MODEL}[fleet]\nfile = "empty.toml"\n',
    "no fleet file": f'{MODEL}[fleet]\nfile = "missing.toml"\n',
    "list": f"{MODEL}[run]\nthreads = 1.5\n",
    "http": f'{MODEL}[notify]\nwebhook = "http://example.org/x"\n',
    "no address": f'{MODEL}[notify]\nwebhook = "https://[::1"\n',
    "file as webhook": f'{MODEL}[notify]\nwebhook = "file:///etc/passwd"\n',
    "mail": f'{MODEL}[notify]\nmail_to = ["someone"]\n',
    "mail header": f'{MODEL}[notify]\nmail_to = ["a@b\\nBcc: c@d"]\n',
    "command": f'{MODEL}[notify]\ncommand = [""]\n',
    "both": '[[model]]\nbundle = "bundle"\nfiles = ["a.tflite"]\n',
    "neither": '[[model]]\nname = "x"\n',
    "missing": '[[model]]\nbundle = "nowhere"\n',
    "data of a bundle": f'{MODEL}data = "photos"\n',
    "two names": MODEL + MODEL,
    "name": f'{MODEL}name = "a\\u001b[2J"\n',
    "engine": f'{MODEL}[[fleet.engine]]\nname = "a"\nurl = "ssh://a:99999"\n',
    "two engines": f'{MODEL}[[fleet.engine]]\nname = "a"\nurl = "ssh://a"\n[[fleet.engine]]\nname = "a"\nurl = "ssh://b"\n',
    "files on engines": '[[model]]\nfiles = ["m.tflite"]\n[[fleet.engine]]\nname = "a"\nurl = "ssh://a"\n',
    "not TOML": "[[model\n",
    "bytes": "a = \x00\n",
    "long path": f'[[model]]\nbundle = "{"a" * 5000}"\n',
    "null in a path": '[[model]]\nbundle = "a\\u0000b"\n',
    "unknown user": '[[model]]\nbundle = "~nobody-of-this-name/x"\n',
    "deep": "a = " + "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused(text: str, tmp_path: Path) -> None:
    path = settings_file(tmp_path)
    (tmp_path / "m.tflite").write_bytes(b"")
    (tmp_path / "empty.toml").write_text("")
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_settings(path)
    assert "edge-bench.toml" in caught.value.problem
    assert caught.value.remedy
    assert "--" not in caught.value.remedy.replace("-----", "")  # no options, which the file does not have


@pytest.mark.parametrize("command", [("nightly",), ("nightly", "--dry-run"), ("schedule", "install")], ids=" ".join)
def test_a_bad_file_is_refused_before_anything_is_written(
    command: tuple[str, ...], tmp_path: Path, refuses: Refuses
) -> None:
    path = settings_file(tmp_path, "[run]\ntrials = 0\n")
    before = sorted(tmp_path.rglob("*"))
    assert refuses(*command, path).exit_code == 2
    assert refuses(*command, tmp_path / "nowhere.toml").exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("name", "line"), [("unknown key", 4), ("type", 4), ("range", 4)])
def test_an_error_names_the_line(name: str, line: int, tmp_path: Path) -> None:
    path = settings_file(tmp_path)
    path.write_text(BAD[name])
    with pytest.raises(BadInput) as caught:
        read_settings(path)
    assert f"line {line}" in caught.value.problem


@pytest.mark.parametrize(
    ("name", "example"),
    [("threads", "[1, 2, 4]"), ("list", "[1, 2, 4]"), ("memory", '"128M"'), ("budget", '"5m"'),
     ("gate as a number", '"2%"'), ("gate without %", '"5%"')],
)  # fmt: skip
def test_an_example_in_a_remedy_is_valid_in_the_file(name: str, example: str, tmp_path: Path) -> None:
    path = settings_file(tmp_path)
    path.write_text(BAD[name])
    with pytest.raises(BadInput) as caught:
        read_settings(path)
    assert f"= {example}" in caught.value.remedy
    key = caught.value.remedy.split(" = ")[0].split()[-1]
    assert tomllib.loads(f"{key} = {example}")


def test_remedies_of_other_commands_name_keys() -> None:
    assert as_keys("choose a writable folder with --results") == "choose a writable folder with results in the settings"
    assert as_keys("give images with --data") == "give images with data in [[model]]"
    assert as_keys("use a larger --timeout, or --batch-size 4") == (
        "use a larger timeout in [run], or [run] batch_size = 4"
    )
    assert as_keys("use a fleet file with --fleet") == "use a fleet file with file in [fleet]"
    kept = "see `edge-bench run --help`, or `--dry-run`; --notify-again; a--results; 2--3"
    assert as_keys(kept) == kept


def test_a_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    path = settings_file(tmp_path)
    path.chmod(0o666)
    with pytest.raises(BadInput) as caught:
        read_settings(path)
    assert "chmod" in caught.value.remedy


def test_root_reads_the_files_of_a_normal_user_for_a_timer_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('ssh_config = "ssh.conf"\n[[engine]]\nname = "pi4"\nurl = "ssh://me@pi4"\n')
    (tmp_path / "ssh.conf").write_text("")
    path = settings_file(tmp_path, '[fleet]\nfile = "fleet.toml"\n', [])
    files = [path, fleet, tmp_path / "ssh.conf"]
    if not os.geteuid():
        for each in files:
            os.chown(each, 12345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BadInput):
        read_settings(path)
    assert [each.name for each in read_settings(path, for_owner=True).engines] == ["pi4"]
    for each in files:
        each.chmod(0o664)
        with pytest.raises(BadInput) as caught:
            read_settings(path, for_owner=True)
        assert each.name in caught.value.problem
        each.chmod(0o644)
    with pytest.raises(BadInput):
        read_settings(tmp_path / "nowhere.toml", for_owner=True)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(BadInput):  # only root
        read_settings(path, for_owner=True)


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text('[[engine]]\nname = "pi4"\nurl = "ssh://me@pi4"\n')
    text = (
        'results = "kept"\nkeep = "90d"\n[notify]\ncommand = ["./tell", "--now"]\n[run]\nthreads = [1, 2]\ncpus = "0"\n'
        '[fleet]\nfile = "fleet.toml"\nthis_machine = true\n'
    )
    settings = read_settings(settings_file(tmp_path, text, ["pi5"]))
    assert settings.results == tmp_path / "kept"
    assert (settings.keep_days, settings.keep_archive_days) == (90, None)
    assert settings.notify.command == [str(tmp_path / "tell"), "--now"]
    assert settings.engine_names(settings.models[0]) == [THIS_MACHINE, "pi4", "pi5"]
    assert "--cpus" not in settings.options.everywhere
    assert list(settings.options.this_machine) == ["--cpus", "0"]
    options = list(settings.options.everywhere)
    assert options[options.index("--threads") + 1] == "1,2"


def test_a_budget_chooses_trials_and_processes(tmp_path: Path) -> None:
    settings = read_settings(settings_file(tmp_path, '[run]\nbudget = "5m"\n'))
    assert "--trials" not in settings.options.everywhere
    assert settings.options.stated["budget_s"] == 300
    assert "trials" not in settings.options.stated


def test_names_of_folders_are_valid_and_differ() -> None:
    names = ["digits", "../x", "..", "a b", "a/b", "x" * 60, "ä", "ö"]
    folders = [folder_name(name) for name in names]
    assert folders[0] == "digits"
    assert len(set(folders)) == len(names)
    assert not any("/" in name or name.startswith(".") for name in folders)


def checked(folder: Path, bundle: Path, text: str, model: str = "") -> Path:
    """Settings with one model on this machine."""
    path = folder / "edge-bench.toml"
    path.write_text(f"{text}\n[[model]]\n{model or f'bundle = {json.dumps(str(bundle))}'}\n")
    return path


#: What a dry run has to find; each with what the message names.
FAULTS = {
    "runtime": ('[run]\nruntime = "foo"\n', "", "foo"),
    "variant": ('[run]\nvariant = "foo"\n', "", "foo"),
    "runtime of an engine": ('[run]\nruntime = "foo"\n[[fleet.engine]]\nname = "a"\nurl = "unix:///x"\n', "", "foo"),
    "variant of an engine": ('[run]\nvariant = "foo"\n[[fleet.engine]]\nname = "a"\nurl = "unix:///x"\n', "", "foo"),
    "TLS": ('[[fleet.engine]]\nname = "a"\nurl = "tcp://a:2376"\ntls = "nowhere"\n', "", "nowhere"),
    "data": ("", 'files = ["m.tflite"]\ndata = "nowhere"\n', "nowhere"),
    "option": ("", 'files = ["m.tflite"]\noptions = ["--no-such"]\n', "--no-such"),
    "command": ('[notify]\ncommand = ["/no/such"]\n', "", "/no/such"),
    "sendmail": ('[notify]\nmail_to = ["a@b.c"]\nsendmail = "/no/such"\n', "", "/no/such"),
    "token": ('[notify]\nwebhook = "https://a.b/c"\nwebhook_token_file = "gone"\n', "", "gone"),
    "results": ('results = "m.tflite"\n', "", "m.tflite"),
    "results below a file": ('results = "m.tflite/results"\n', "", "m.tflite"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.slow
def test_a_dry_run_finds_what_would_fail_at_night(
    name: str, tmp_path: Path, digits_bundle: Bundle, refuses: Refuses
) -> None:
    (tmp_path / "m.tflite").write_bytes((digits_bundle.folder / "variants" / "int8.tflite").read_bytes())
    text, model, named = FAULTS[name]
    path = checked(tmp_path, digits_bundle.folder, text, model)
    before = sorted(tmp_path.glob("*"))
    error = refuses("nightly", path, "--dry-run", kind=EdgeBenchError)
    assert error.exit_code == 2
    assert named in error.problem
    assert error.remedy
    assert [each for each in sorted(tmp_path.glob("*")) if each.name != "cache"] == before


@pytest.mark.slow
def test_a_dry_run_says_what_a_night_would_do_otherwise_than_written(tmp_path: Path, digits_bundle: Bundle) -> None:
    path = checked(tmp_path, digits_bundle.folder, "[run]\nprocesses = 5\ntrials = 2\n")
    done = call_here("nightly", path, "--dry-run", "--format", "json", cwd=tmp_path)
    assert done.code == 0
    (row,) = json.loads(done.stdout)
    assert any("processes = 5" in note for note in row["notes"])


@pytest.mark.slow
def test_a_dry_run_of_run_measures_and_writes_nothing(tmp_path: Path, digits_bundle: Bundle) -> None:
    arguments = ("run", digits_bundle.folder, "--runtime", "litert", "--variant", "int8", "--budget", "5m", "--dry-run")
    done = call_here(*arguments, "--format", "json", cwd=tmp_path)
    assert done.code == 0
    (row,) = json.loads(done.stdout)
    assert (row["variant"], row["runtime"], row["failure"]) == ("int8", "litert", None)
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_a_dry_run_shows_each_measurement_and_writes_nothing(tmp_path: Path, digits_bundle: Bundle) -> None:
    path = settings_file(tmp_path, "[fleet]\nthis_machine = true\n", ["pi4"])
    path.write_text(path.read_text().replace('bundle = "bundle"', f'bundle = "{digits_bundle.folder}"'))
    before = sorted(tmp_path.rglob("*"))
    done = call_here("nightly", path, "--dry-run", "--format", "jsonl", cwd=tmp_path)
    assert done.code == 0
    assert [line.count('"engine"') for line in done.stdout.splitlines()] == [1, 1]
    assert sorted(tmp_path.rglob("*")) == before
