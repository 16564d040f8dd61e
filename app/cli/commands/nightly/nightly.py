"""The command ``nightly``: one night on a fleet, or one every day."""

from pathlib import Path
from typing import TYPE_CHECKING

from edge_bench.app.cli.options.fleet import DailyAt, DryRun, NotifyAgain, ResumeNight, SettingsFile
from edge_bench.app.cli.options.shared import OutputFormat
from edge_bench.app.render.formats import FOR_PROGRAMS, Format
from edge_bench.bench.errors import EdgeBenchError, GateNotMet, Interrupted
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_bench.app.nightly.settings.reading import NightlySettings
    from edge_bench.bench.records.nights.night import Night

__all__ = ["DEFAULT_FILE", "nightly"]

DEFAULT_FILE = Path("edge-bench.toml")


def nightly(
    file: SettingsFile = DEFAULT_FILE,
    dry_run: DryRun = False,
    notify_again: NotifyAgain = False,
    resume: ResumeNight = False,
    daily_at: DailyAt = None,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Measure all models on all engines, find what changed since earlier nights, and notify.

    An interrupted night is continued. Exit code 3: a change was reported. 1: an engine has no Run, a
    notification could not be sent, or too little disk space.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.schedule.daily import days, parse_time
    from edge_bench.app.nightly.settings.keys import with_keys
    from edge_bench.app.nightly.settings.reading import read_settings
    from edge_bench.app.nightly.work.dry_run import planned_night
    from edge_bench.app.tables.nights import plan_table

    at = parse_time(daily_at, "--daily-at") if daily_at is not None else None
    settings = read_settings(file)
    try:
        if dry_run:
            console.print_table(plan_table(planned_night(settings)), output_format)
        elif notify_again:
            _notify_again(settings)
        elif at is None:
            _finish(*_one_night(settings, resume=resume), settings, output_format)
        else:
            for only_resume in days(at, settings.results, console.note):
                _one_of_many(file, output_format, resume=only_resume)
    except EdgeBenchError as cause:
        raise with_keys(cause) from None
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted; finished Runs and trials are kept", "the next `edge-bench nightly` continues the night"
        ) from None


def _one_night(settings: "NightlySettings", *, resume: bool = False) -> "tuple[Night | None, list[Night]]":
    """Return the night, or None with ``resume`` if none was interrupted; and those that were notified of again."""
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.job import NightJob
    from edge_bench.app.nightly.work.lock import night_lock
    from edge_bench.app.nightly.work.measuring import FleetMeasurer

    with night_lock(settings.results) as lock:
        measurer = FleetMeasurer(settings, lock, quiet=console.settings.quiet)
        job = NightJob(settings, measurer, console.progress())
        return (job.resume() if resume else job.run()), job.resent


def _one_of_many(file: Path, output_format: Format, *, resume: bool) -> None:
    """Begin or continue a night; an error is printed and does not end the schedule. The settings are read again."""
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.settings.keys import with_keys
    from edge_bench.app.nightly.settings.reading import read_settings

    try:
        settings = read_settings(file)
        _finish(*_one_night(settings, resume=resume), settings, output_format)
    except EdgeBenchError as error:
        console.print_error(with_keys(error))


def _notify_again(settings: "NightlySettings") -> None:
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.notify.send import send_again, unsent
    from edge_bench.app.nightly.work.lock import night_lock
    from edge_bench.bench.records.nights.files import read_recent_nights

    with night_lock(settings.results):
        nights, notes = read_recent_nights(settings.results, 400)
        for note in notes:
            console.note(f"NOTE: {note}")
        again = send_again(nights, settings.notify, settings.results)
    failed = [left for night in again if (left := unsent(night, settings.notify))]
    if failed:
        raise EdgeBenchError(
            f"{len(again) - len(failed)} of {counted(len(again), 'notification')} sent again; "
            f"{failed[0][0].channel}: {failed[0][0].reason}",
            "check [notify] in the settings",
        )
    console.note(f"{counted(len(again), 'notification')} sent again" if again else "all notifications were sent")


def _finish(
    night: "Night | None", resent: "Sequence[Night]", settings: "NightlySettings", output_format: Format
) -> None:
    """Print the night; raise the error that it calls for. ``resent`` are earlier nights that were notified of again."""
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.notify.answer import answer_line
    from edge_bench.app.nightly.notify.message import engine_line, finding_line
    from edge_bench.app.tables.nights import night_table

    if night is None:
        console.note("no night is to be continued")
        _require_sent(resent, settings)
        return
    lines = [*map(finding_line, night.reported), *(engine_line(each) for each in night.silent), *night.warnings]
    if not night.reported:
        lines.insert(0, answer_line(night))
    if output_format in FOR_PROGRAMS:
        for line in lines:
            console.note(line)
    else:
        console.print_text("\n".join([*lines, ""]), verdicts=True)
    console.print_table(night_table(night), output_format)
    _require_good(night, settings)
    _require_sent([night, *resent], settings)


def _require_good(night: "Night", settings: "NightlySettings") -> None:
    """Raise an error if a change was reported, or if a Run or a channel is missing."""
    from edge_bench.app.nightly.notify.channels import channel_problems
    from edge_bench.bench.records.nights.night import MeasurementState

    if night.reported:
        raise GateNotMet(
            f"night {night.number}: {counted(len(night.reported), 'change')} found", "see the sentences above"
        )
    delivered = sum(each.state is MeasurementState.DELIVERED for each in night.measurements)
    if delivered < len(night.measurements):
        raise EdgeBenchError(
            f"night {night.number}: {len(night.measurements) - delivered} of {counted(len(night.measurements), 'Run')} "
            "missing",
            f"see the reasons above, and `edge-bench nightly {settings.path} --dry-run`",
        )
    if problems := channel_problems(settings.notify):
        raise EdgeBenchError(
            f"night {night.number}: a channel cannot be used: {problems[0]}", "check [notify] in the settings"
        )


def _require_sent(nights: "Sequence[Night]", settings: "NightlySettings") -> None:
    """Raise an error if a notification of one of the nights was not sent."""
    from edge_bench.app.nightly.notify.send import unsent

    for night in nights:
        for each in unsent(night, settings.notify):
            raise EdgeBenchError(
                f"night {night.number}: a notification was not sent: {each.channel}: {each.reason}",
                "the next night sends it again, or `edge-bench nightly --notify-again`",
            )
