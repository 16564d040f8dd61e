"""What `run` and `compare` print in a terminal: limits of lines and columns, order, marks, and notes."""

import re

import msgspec
import pytest

from edge_bench.app.cli.console import comparison_tables
from edge_bench.app.render.text.wrapping import text_width
from edge_bench.app.tables.answer.agreement import agreement_notes
from edge_bench.app.tables.answer.reliability import Reliable, reliability_texts
from edge_bench.app.tables.answer.text import Answered, answer_sentences, answer_text
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import Row, compare
from edge_bench.bench.analysis.times.reliability import Reason
from edge_bench.bench.records.run import Configuration, Failure, Images, Result, Run
from edge_bench.bench.system.machine import Finding
from tests.factories import group, machine, repeats, result, run
from tests.nine_configurations import nine, on_pi

WIDTHS = (40, 50, 60, 80, 100, 140)
ROW = re.compile(r"^[▸ ] (keras|float32|float16|dynamic|int8) +(\S+) +([\d.]+)")


def subject(*runs: Run) -> Answered:
    comparison = compare(list(runs)) if any(each.results_with_trials for each in runs) else None
    tables = [run_table(runs[0]), *([comparison_table(comparison)] if comparison and len(runs) > 1 else [])]
    return Answered(runs, comparison, tables, "--why")


def lines(*runs: Run, width: int = 80) -> list[str]:
    return answer_text(subject(*runs), width).split("\n")


def names_in(runs: list[Run]) -> set[str]:
    return {result.configuration.runtime for each in runs for result in each.results}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("runs", [[nine()], [nine(), on_pi()], [nine(), nine()]], ids=["run", "machines", "same"])
def test_nothing_is_wider_than_the_terminal_and_no_word_is_broken(runs: list[Run], width: int) -> None:
    text = lines(*runs, width=width)
    assert max(map(len, text)) <= width
    shown = [match[2] for line in text if (match := ROW.match(line))]
    assert len(shown) in (9, 9 * len(runs))  # a block for each machine if they do not fit beside each other
    if width >= 50 and (width >= 80 or len(runs) == 1):
        assert set(shown) == names_in(runs)
    assert any("not shown: memory, size, intervals" in line for line in text) is (width < 80)
    for line in (line for line in text if "…" not in line):  # words at the ends of lines are whole
        assert line == line.rstrip()
        assert not line.endswith(("-", "/"))


def test_a_run_of_nine_configurations_takes_at_most_30_lines() -> None:
    text = lines(nine())
    assert len(text) + 2 <= 30  # with the last line, which the command prints
    first, second, third = text[:3]
    assert first.startswith("Fastest: dynamic on litert, 0.0")
    assert "× faster than keras [" in second
    assert "accuracy" in second
    assert "reliable" in third
    assert "~" in third


def test_two_machines_take_at_most_40_lines_side_by_side() -> None:
    text = lines(nine(), on_pi())
    assert len(text) + 1 <= 40
    assert "Fastest: dynamic on litert (desk)" in text[0]
    assert "reliable" in text[2]
    assert text[3] == ""
    assert sum(bool(re.match(r"[▸ ] dynamic\s+litert\s", line)) for line in text) == 1


@pytest.mark.parametrize("width", WIDTHS[1:])
def test_runtimes_are_whole_beside_a_long_name_of_the_baseline(width: int) -> None:
    text = lines(only_float32(), width=width)
    assert max(map(len, text)) <= width
    rows = [line for line in text[3:] if "× faster" in line or "  baseline  " in line]
    assert any("tflite-runtime" in line for line in rows)
    assert not any("…" in line for line in rows)


def only_float32() -> Run:
    """A Run of one variant on two runtimes, so that the baseline's name needs its runtime."""
    made = nine()
    kept = [each for each in made.results if each.configuration.variant == "float32"]
    return msgspec.structs.replace(made, results=kept)


@pytest.mark.parametrize("width", WIDTHS)
def test_rows_are_sorted_by_time_and_the_best_is_marked(width: int) -> None:
    rows = [match for line in lines(nine(), width=width) if (match := ROW.match(line))]
    assert len(rows) == 9
    times = [float(match[3]) for match in rows]
    assert times == sorted(times)
    assert [match[0][0] for match in rows] == ["▸", *" " * 8]


def test_unstable_rows_and_unreliable_verdicts_are_marked() -> None:
    text = lines(nine(), width=140)
    marked = {(match[1], match[2]) for line in text if "] ~" in line and (match := ROW.match(line))}
    assert marked == {("float32", "tflite-runtime"), ("float16", "litert")}
    assert any("vs keras ~" in line for line in text)  # all verdicts of a Run that is not reliable
    trusted = lines(msgspec.structs.replace(nine(), trusted=True, findings=[]), width=140)
    verdicts = [line for line in trusted if "× faster" in line and ROW.match(line)]
    assert {ROW.match(line)[1] for line in verdicts if "faster ~" in line} == {"float32", "float16"}  # type: ignore[index]


def test_the_agreement_of_two_machines_is_a_note() -> None:
    pi = machine(hostname="pi", architecture="aarch64")
    equal = " ".join(" ".join(lines(run(result("a", "x", 1.0)), run(result("a", "x", 1.0), on=pi))).split())
    assert "labels on pi and desk are equal for all 100 images, in 1 configuration of both" in equal
    other = run(result("a", "x", 1.0), result("b", "x", 1.0, 30), on=pi)
    text = " ".join(" ".join(lines(run(result("a", "x", 1.0), result("b", "x", 1.0, 5)), other)).split())
    assert "differ in 1 of 2 configurations of both; most in b on x: 75 of 100 images equal" in text


def test_no_agreement_is_claimed_for_images_that_a_side_did_not_classify() -> None:
    pi = machine(hostname="pi", architecture="aarch64")
    here = compare(
        [run(result("a", "x", 1.0), result("b", "x", 1.0)), run(result("a", "x", 1.0), result("b", "x", 1.0), on=pi)]
    )
    first, second = (row for row in here.rows if row.across)

    def sharing(row: Row, total: int) -> Row:
        assert row.across
        return msgspec.structs.replace(row, across=msgspec.structs.replace(row.across, same=total, total=total))

    def notes(*rows: Row) -> list[str]:
        return agreement_notes(msgspec.structs.replace(here, rows=[here.rows[0], *rows]))

    assert notes(sharing(first, 0), sharing(second, 0)) == []
    (note,) = notes(sharing(first, 40), sharing(second, 100))
    assert "equal for all 40 to 100 images, in 2 configurations of both" in note


def test_a_tie_names_no_fastest() -> None:
    text = lines(run(result("a", "x", 1.0), result("b", "x", 1.001)))
    assert text[0].startswith("No clear winner: a on x and b on x are within ")
    assert sum(line.startswith("▸") for line in text) == 2
    assert not any("Fastest" in line for line in text)


def test_first_lines_of_other_kinds() -> None:
    emulated = machine(hostname="pi", emulated=True, emulation_signs=["a sign"])
    assert "EMULATED" in lines(run(result("a", "x", 1.0), on=emulated))[0]
    assert not any("ms/image" in line for line in lines(run(result("a", "x", 1.0), on=emulated)))
    assert lines(run(result("a", "x", 1.0)))[0].startswith("Only one configuration: a on x, 10.0")
    one = run(*(msgspec.structs.replace(each, trials=each.trials[:6]) for each in nine().results))
    text = lines(one)
    assert text[0].startswith("No verdict on speed")
    assert any("no verdict" in line and "one process" in line for line in text)
    slower = msgspec.structs.replace(one, run_id="f" * 32, machine=machine(hostname="pi"))
    assert not any(line.startswith("▸") for each in (text, lines(one, slower)) for line in each)
    failure = Failure(kind="not installed", message="there is no wheel", remedy="use another")
    failed = Result(
        configuration=Configuration(variant="a", runtime="x", threads=1, batch_size=1), bytes=1, sha256="",
        failure=failure,
    )  # fmt: skip
    text = lines(run(failed, failed))
    assert text[0] == "No answer: all 2 configurations failed"
    assert "there is no wheel" in text[1]
    assert "use another" in text[2]
    unfinished = run(failed, msgspec.structs.replace(failed, failure=None))
    assert lines(msgspec.structs.replace(unfinished, complete=False))[0].startswith("No answer: interrupted")


def test_without_labels_agreement_replaces_accuracy() -> None:
    made = run(result("a", "x", 1.0), result("b", "x", 2.0, wrong=3))
    empty = msgspec.structs.replace(made.images.labels, length=0, data=b"") if made.images.labels else None
    assert empty is not None
    images = Images(indices=made.images.indices, labels=empty, total_images=100)
    text = lines(msgspec.structs.replace(made, images=images))
    assert any("97.0 %" in line for line in text if line.lstrip().startswith("b "))
    assert "accuracy" not in " ".join(text[:3])


def test_there_are_at_most_five_notes_one_for_each_cause() -> None:
    whats = [f"finding {letter}" for letter in "abcdefgh"]
    findings = [Finding(what=what, remedy="r", spoils=False) for what in whats]
    warned = [
        msgspec.structs.replace(each, warnings=[f"{number} outliers among 30 trials; something interfered"])
        for number, each in enumerate(nine().results, start=2)
    ]
    made = nine(results=warned, findings=findings)
    text = answer_text(subject(made), 80)
    notes = text.split("\n\n")[-1].split("\n")
    starts = [line for line in notes if not line.startswith("  ")]
    assert len(starts) == 5
    assert "more notes: --why" in starts[-1]
    assert sum("outliers" in line for line in notes) == 1
    assert any("2 to 10 outliers" in line for line in notes)
    all_notes = answer_text(subject(made), 80, why=True)
    assert all(what in all_notes for what in whats)


def test_notes_have_at_most_seven_lines() -> None:
    findings = [Finding(what=f"finding {letter} {20 * 'word '}", remedy="r", spoils=False) for letter in "abcd"]
    text = answer_text(subject(nine(findings=findings)), 80).split("\n\n")[-1].split("\n")
    assert len(text) == 7
    assert any("finding a" in line for line in text)
    assert "more notes: --why" in text[-1]


def test_failures_are_one_note_for_each_reason() -> None:
    failure = Failure(kind="not installed", message="there is no wheel")
    failed = [
        msgspec.structs.replace(each, trials=[], failure=failure)
        for each in nine().results
        if each.configuration.runtime == "tflite-runtime"
    ]
    kept = [each for each in nine().results if each.configuration.runtime != "tflite-runtime"]
    text = lines(nine(results=[*kept, *failed]))
    assert sum("no wheel" in line for line in text) == 1
    assert any("4 configurations" in line for line in text if "no wheel" in line)


def test_wide_has_all_columns_and_why_has_the_attribution() -> None:
    wide = answer_text(subject(nine()), 80, wide=True, limit=False)
    assert "p50 / p90 / p99 / max" in wide
    assert wide.startswith("Fastest: ")
    why = answer_text(subject(nine()), 80, why=True)
    assert why.count("where the time comes from") == 1
    compared = compare([nine()])
    both = Answered([nine()], compared, comparison_tables(compared), "")
    for all_columns in (False, True):  # the table of causes is replaced by its sentences
        made = answer_text(both, 80, why=True, wide=all_columns)
        assert made.count("(dynamic, 1 thread, batch 1, desk)") == 1


def test_long_names_are_shortened_in_the_middle() -> None:
    long = "mobilenet_v2_1.0_224_quantized_and_fine_tuned_on_flowers"
    text = lines(run(result(f"{long}_a", "x", 1.0), result(f"{long}_b", "x", 2.0)))
    assert max(map(len, text)) <= 80
    assert any(line.startswith("▸ mobilenet") and "…" in line and "rs_a " in line for line in text)


def test_settings_that_differ_are_columns_and_others_are_in_the_title() -> None:
    def threads(count: int, seconds: float) -> Result:
        made = result("a", "x", seconds)
        return msgspec.structs.replace(made, configuration=msgspec.structs.replace(made.configuration, threads=count))

    text = lines(run(threads(1, 2.0), threads(4, 1.0)))
    assert any(line.split()[:2] == ["variant", "runtime"] and "threads" in line for line in text)
    assert any("batch 1" in line for line in text)
    assert "4 threads" in text[0]


def test_several_runs_of_one_machine_have_letters_with_a_legend() -> None:
    first, second = nine(), msgspec.structs.replace(nine(), began="2026-01-02T00:00:00+00:00")
    text = "\n".join(lines(first, second))
    assert re.search(r"^A = .*2026-01-01 00:00", text, re.M)
    assert re.search(r"^B = .*2026-01-02 00:00", text, re.M)


def test_more_machines_than_fit_have_a_block_each() -> None:
    others = [
        nine(float(number + 2), machine=machine(hostname=f"board{number}", architecture="aarch64"))
        for number in range(5)
    ]
    text = lines(nine(), *others)
    assert max(map(len, text)) <= 80
    assert sum("▸" in line for line in text) == 1
    assert any(line == "board4:" for line in text)


def test_repeats_say_how_much_times_vary() -> None:
    made = group(repeats(msgspec.structs.replace(nine(), trusted=True, findings=[]), 3, variation=0.02))
    text = " ".join(answer_text(subject(*made), 80).split())
    assert "3 runs" in text
    assert "from run to run (standard deviation)" in text


def test_one_configuration_that_varies_is_in_the_singular() -> None:
    spread = Reason(what="wide", remedy="stop other programs", spread=True)
    texts = reliability_texts(Reliable(False, spread, 1, 9, "configuration"))
    assert (
        texts[0] == "! Times are not reliable: 1 of 9 configurations varies by 10 % or more (~). Stop other programs."
    )


def test_sentences_for_pages_are_not_shortened() -> None:
    first, second, third = answer_sentences(subject(nine()))
    assert "points, within chance" in second
    assert first
    assert "configurations vary by 10 % or more" in third


def test_wide_characters_take_two_columns_of_every_line_and_table() -> None:
    names = ["模型" * 20, "e\u0301te\u0301", "😀👩‍👩‍👧x", "plain"]
    text = lines(run(*(result(name, "x", 1.0 + number) for number, name in enumerate(names))))
    assert max(map(text_width, text)) <= 80
    rows = [line for line in text if line.endswith("  1 KiB")]
    assert len(rows) == len(names)
    assert len({text_width(line) for line in rows}) == 1, rows  # the last column is aligned
