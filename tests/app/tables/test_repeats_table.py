"""The table of repeated Runs: what its notes are about."""

import msgspec

from edge_bench.app.tables.runs.notes import run_notes
from edge_bench.app.tables.runs.repeats import repeats_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.app.tables.runs.tails import percentile_notes
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Result
from edge_bench.bench.system.machine import Finding
from tests.factories import group, repeats, result, run


def with_latencies(measured: Result, count: int) -> Result:
    """Return the result with more latencies in each trial, enough for p90."""
    trials = [msgspec.structs.replace(trial, latencies=pack(range(1, 1 + count))) for trial in measured.trials]
    return msgspec.structs.replace(measured, trials=trials)


WHOLE = run(
    with_latencies(result("keras", "tensorflow", 1.0, noise=0.2), 20),
    with_latencies(result("dynamic", "litert", 0.5), 20),
)


def test_notes_on_percentiles_are_left_out_as_their_column_is() -> None:
    runs = group(repeats(WHOLE, 3))
    of_percentiles = percentile_notes(WHOLE.results_with_trials)
    assert of_percentiles
    assert set(of_percentiles) <= set(run_table(WHOLE).notes)
    others = run_notes(WHOLE)
    assert set(run_table(WHOLE).notes) == {*of_percentiles, *others}
    notes = "\n".join(repeats_table(runs).notes)
    assert not any(note in notes for note in of_percentiles)
    assert others
    assert all(note in notes for note in others)


def test_a_note_names_its_runs_unless_all_have_it() -> None:
    hot = Finding(what="it is hot", remedy="cool it", spoils=True)
    slow, busy = (
        Finding(what="it is slow", remedy="wait", spoils=False),
        Finding(what="it is busy", remedy="wait", spoils=False),
    )
    found = ([hot, slow], [slow], [slow, hot, busy])
    runs = [
        msgspec.structs.replace(each, findings=findings)
        for each, findings in zip(group(repeats(WHOLE, 3)), found, strict=True)
    ]
    notes = repeats_table(runs).notes
    assert "! runs 1, 3: it is hot: cool it" in notes
    assert "- it is slow: wait" in notes
    assert "- run 3: it is busy: wait" in notes


def test_runs_within_a_minute_have_one_time() -> None:
    runs = [
        msgspec.structs.replace(each, began="2026-11-26T12:57:01+00:00", ended=f"2026-11-26T12:{minute}:30+00:00")
        for each, minute in zip(group(repeats(WHOLE, 2)), (57, 57), strict=True)
    ]
    (note,) = [note for note in repeats_table(runs).notes if "UTC" in note]
    assert note.count("2026-11-26 12:57") == 1
    later = [runs[0], msgspec.structs.replace(runs[1], ended="2026-11-26T12:58:00+00:00")]
    (note,) = [note for note in repeats_table(later).notes if "UTC" in note]
    assert "2026-11-26 12:57 to 2026-11-26 12:58 UTC" in note
