"""How often the action for pull requests fails slower models, and passes unchanged ones, measured.

    python -m studies.pull_requests.gate [--count 10] [--slower 10] [--first 1] [--log FILE]

In a new repository, the base commit has a classifier of 10 equal convolutions. ``--count`` pull requests add
``--slower`` percent more of them, and as many change only its README. Slow and unchanged ones alternate. Each goes
through the steps of action.yml, with its default limits, trials and processes and 100 images with labels, and comments
on a local server in place of GitHub. The outcomes are appended to the log; ``--first`` continues at this number.
Figures: docs/github.md.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tabulate import tabulate

from tests.command_line import REPOSITORY
from tests.github.api import github_api
from tests.github.composite import run_action
from tests.github.models import layered_tflite, write_images
from tests.github.repository import Repository, job_of

__all__ = ["Reviewed", "review", "summary"]

_LAYERS = 10
_INPUTS = {
    "model": "model.tflite",
    "run_options": "--data images --preprocess unit --runtime litert",
    "fail_if_accuracy_drops": "5",
    "install": "none",
}


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one pull request."""

    slower: float  # percent more layers
    code: int
    result: str
    ratio: float | None  # time of the pull request's model divided by that of the base
    low: float | None
    high: float | None
    comments: int
    readable: bool  # whether the comment has the result, the ratio and a table
    seconds: float  # of all steps
    load: float  # average number of programs that wanted a core in the last minute, at the end


def review(repository: Repository, number: int, slower: float, folder: Path, **inputs: str) -> Reviewed:
    """Return the outcome of the action for a pull request."""
    with github_api() as comments:
        job = job_of(repository, number, folder, comments.url, EDGE_BENCH_RUNTIME_DIR=str(folder))
        began = time.monotonic()
        outcome = run_action(REPOSITORY / "action.yml", job, **(_INPUTS | inputs))
        seconds = time.monotonic() - began
    compared = Path(outcome.outputs["results"] or "nowhere") / "comparison.json"
    rows = json.loads(compared.read_text()) if compared.is_file() else [{}]
    ratio = rows[0].get("time_ratio")
    text = "".join(comments.of(number))
    return Reviewed(
        slower=slower,
        code=outcome.code,
        result=outcome.outputs["result"],
        ratio=ratio,
        low=rows[0].get("time_ratio_low"),
        high=rows[0].get("time_ratio_high"),
        comments=len(comments.of(number)),
        readable=bool(ratio) and f"{ratio:.2f}" in text.replace("\\", "") and "| head/model" in text and "###" in text,
        seconds=seconds,
        load=float(Path("/proc/loadavg").read_text().split()[0]),
    )


def pull_requests(folder: Path, slower: float, count: int) -> tuple[Repository, list[tuple[int, float]]]:
    """Return a repository, and its pull requests with how much slower each is, in percent."""
    files = folder / "files"
    layered_tflite(files / "model.tflite", _LAYERS)
    write_images(files / "images", 10)
    repository = Repository(folder / "repository", files)
    changed, unchanged = folder / "slower", folder / "unchanged"
    layered_tflite(changed / "model.tflite", round(_LAYERS * (1 + slower / 100)))
    unchanged.mkdir()
    opened = list[tuple[int, float]]()
    for number in range(count):
        (unchanged / "README").write_text(f"{number}\n")
        opened += [(repository.pull_request(changed), slower), (repository.pull_request(unchanged), 0.0)]
    return repository, opened


def summary(log: Sequence[Reviewed]) -> str:
    """Return a Markdown table of the outcomes."""
    rows = []
    for slower in sorted({each.slower for each in log}, reverse=True):
        found = [each for each in log if each.slower == slower]
        ratios = sorted(each.ratio for each in found if each.ratio is not None)
        seconds, loads = sorted(each.seconds for each in found), sorted(each.load for each in found)
        rows.append(
            (
                f"{slower:g} % more layers" if slower else "unchanged",
                len(found),
                sum(each.code == 3 for each in found),
                sum(each.result == "passed" for each in found),
                sum(each.result == "undecided" for each in found),
                sum(each.code not in (0, 3) for each in found),
                sum(each.readable and each.comments == 1 for each in found),
                f"{ratios[0]:.3f} to {ratios[-1]:.3f}" if ratios else "",
                f"{seconds[0]:.0f} to {seconds[-1]:.0f}",
                f"{loads[0]:.1f} to {loads[-1]:.1f}",
            )
        )
    header = (
        "pull requests", "number", "failed (3)", "passed", "undecided, passed", "errors", "one readable comment",
        "time ratios", "duration, s", "load average",
    )  # fmt: skip
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10, help="pull requests of each kind")
    parser.add_argument("--slower", type=float, default=10, help="percent more layers")
    parser.add_argument("--first", type=int, default=1, help="number of the first pull request, from 1")
    parser.add_argument("--log", type=Path, default=Path("results/pull-requests.jsonl"))
    options = parser.parse_args()
    options.log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        repository, opened = pull_requests(Path(temporary), options.slower, options.count)
        for number, slower in opened[options.first - 1 :]:
            found = review(repository, number, slower, Path(temporary) / f"job-{number}")
            print(number, found, flush=True)
            with options.log.open("ab") as log:
                log.write(msgspec.json.encode(found) + b"\n")
    print(summary([msgspec.json.decode(line, type=Reviewed) for line in options.log.read_bytes().splitlines()]))


if __name__ == "__main__":
    main()
