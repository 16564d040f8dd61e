"""A report of repeated Runs: each group is shown once."""

import re
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.devices.machines import machines_table
from edge_bench.app.report.reproduce import reproduce_section
from edge_bench.app.report.trust import trust_section
from edge_bench.bench.records.run import Run
from edge_bench.bench.system.machine import Finding
from tests.app.report.pages import answers_of, page_of, section_of, words_of
from tests.factories import group, machine, repeats, result, run

HOST = run(result("keras", "tensorflow", 1.0, size=4000), result("dynamic", "litert", 0.5, wrong=3))


def with_ids(runs: list[Run], prefix: str) -> list[Run]:
    return [msgspec.structs.replace(each, run_id=f"{prefix}{number:028d}") for number, each in enumerate(runs)]


FIRST = group(with_ids(repeats(HOST, 5, seed=1), "aaaa"), "a")
SECOND = group(with_ids(repeats(HOST, 5, seed=2), "bbbb"), "b")


def test_a_group_has_one_picture_of_its_trials() -> None:
    (section,) = bundle_sections([*FIRST, *SECOND], [])
    assert [drawing.name for drawing in section.trials] == ["trials-1", "trials-2"]
    assert all("run 5 of 5" in drawing.title for drawing in section.trials)
    assert {entry.run.run_id for entry in section.entries} == {FIRST[4].run_id, SECOND[4].run_id}
    assert len({entry.full_name for entry in section.entries}) == 4


def test_the_shown_run_is_the_newest_that_measured_everything() -> None:
    failed = msgspec.structs.replace(HOST.results[0], trials=[])
    last = msgspec.structs.replace(FIRST[4], results=[failed, FIRST[4].results[1]])
    (section,) = bundle_sections([*FIRST[:4], last], [])
    assert {entry.run.run_id for entry in section.entries} == {FIRST[3].run_id}
    assert "run 4 of 5" in section.trials[0].title


def test_names_are_unique_if_the_ids_begin_alike() -> None:
    (section,) = bundle_sections([*with_ids(FIRST, "aaaa"), *group(with_ids(SECOND, "aaaa0000"), "b")], [])
    assert len(set(section.machines.values())) == 2
    assert len(section.shown_runs) == 2


@pytest.mark.slow
def test_the_page_of_a_group_is_hardly_longer_than_that_of_one_run(tmp_path: Path) -> None:
    one, five = page_of(tmp_path, [HOST]), page_of(tmp_path, FIRST)
    assert len(answers_of(five)) == len(answers_of(one))
    assert five.count("<figure") == one.count("<figure")
    assert five.count("<h3") == one.count("<h3") + 1  # the table over all Runs
    assert "5 of 5" in words_of(section_of(five, 9))
    assert "--repeat-runs 5" in five
    assert all(each.run_id in five for each in FIRST)


def test_machines_are_beside_each_other_once_with_what_differs() -> None:
    changed = machine(kernel="7")
    runs = [*FIRST[:3], *(msgspec.structs.replace(each, machine=changed) for each in FIRST[3:])]
    (section,) = bundle_sections([*runs, *SECOND], [])
    table = str(machines_table(section))
    assert table.count('scope="col"') == 3  # the names of properties, and two groups
    assert re.findall(r"<td>([^<]*)</td>", table.partition("kernel")[2])[:2] == ["6 / 7", "6"]


def test_reliability_is_stated_once_and_names_the_runs_that_differ() -> None:
    hot = Finding(what="it is hot", remedy="cool it", spoils=True)
    busy = Finding(what="it is busy", remedy="wait", spoils=False)
    runs = [msgspec.structs.replace(each, findings=[busy, *([hot] if each.repeat in (2, 4) else [])]) for each in FIRST]
    (section,) = bundle_sections(runs, [])
    text = words_of(str(trust_section(section)))
    assert text.count("It is busy") == text.count("It is hot") == 1
    assert "Runs 2, 4: It is hot" in text
    assert "/ no: " in text.partition("times reliable")[2]  # of two Runs


def test_the_commands_of_a_group_repeat_it_once() -> None:
    (section,) = bundle_sections([*FIRST, *SECOND], [])
    commands = str(reproduce_section(section)).partition("</pre>")[0]
    assert commands.count("edge-bench run") == 1
    (single,) = bundle_sections([HOST], [])
    assert "--repeat-runs" not in str(reproduce_section(single))
