"""Measure a model and its base in turn, compare them, and write a comment. Needs edge-bench on the PATH.

Environment: MODEL, BASE_MODEL or BASELINE, and the other inputs of action.yml in capitals. Outputs: result (passed,
failed, undecided or error), exit-code (of `edge-bench compare`, or of the command that failed) and results, the folder.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: Lines of an error in the comment.
_ERROR_LINES = 20


class Failed(Exception):
    """A command of edge-bench that failed: its exit code, and its last lines."""

    def __init__(self, code: int, lines: str) -> None:
        super().__init__(lines)
        self.code = code


def edge_bench(*arguments: object, accepted: tuple[int, ...] = (0,)) -> tuple[int, str]:
    """Run a command, show its progress, and return its exit code and output. Raise Failed for other codes."""
    command = ["edge-bench", *map(str, arguments)]
    print(f"$ {shlex.join(command)}", flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stderr, end="", flush=True)
    if done.returncode not in accepted:
        raise Failed(done.returncode, "\n".join(done.stderr.strip().splitlines()[-_ERROR_LINES:]))
    return done.returncode, done.stdout


def measure_in_turn(model: Path, base: Path, results: Path, options: list[str]) -> list[str]:
    """Measure both files in one Run, round by round; return the arguments of `compare`."""
    if model.name != base.name:
        raise Failed(2, f"base-model: {base.name} and {model.name} need the same file name")
    with tempfile.TemporaryDirectory() as folder:  # the names of the sides in the Run: base/NAME and head/NAME
        sides = Path(folder) / "base", Path(folder) / "head"
        for side, path in zip(sides, (base, model), strict=True):
            side.symlink_to(path.parent, target_is_directory=True)
        edge_bench("run", *(side / model.name for side in sides), *options, "--results", results / "runs")
    return [str(results / "runs"), "--baseline", "base"]


def measure_bundles(model: Path, base: Path, results: Path, options: list[str], runs: int) -> list[str]:
    """Make Runs of both bundles, alternately, so that slow changes of the machine affect both."""
    sides = [(base, results / "base"), (model, results / "head")]
    for number in range(runs):
        for bundle, folder in sides if number % 2 == 0 else reversed(sides):
            edge_bench("run", bundle, *options, "--results", folder)
    return [str(results / "head"), "--baseline", str(results / "base")]


def measure(results: Path) -> list[str]:
    """Measure; return the arguments of `compare`."""
    inputs = os.environ
    try:
        stated, runs = shlex.split(inputs["RUN_OPTIONS"]), int(inputs["RUNS"])
    except ValueError as cause:
        raise Failed(2, f"run-options or runs: {cause}") from None
    options = ["--trials", inputs["TRIALS"], "--processes", inputs["PROCESSES"], *stated]
    model = Path(inputs["MODEL"]).absolute()
    if inputs["BASELINE"]:
        edge_bench("run", model, *options, "--repeat-runs", runs, "--results", results / "runs")
        return [str(results / "runs"), "--baseline", inputs["BASELINE"]]
    base = Path(inputs["BASE_MODEL"])
    if (model / "manifest.json").is_file():
        return measure_bundles(model, base, results, options, runs)
    return measure_in_turn(model, base, results, options)


def limits() -> list[str]:
    """Return the options of the limits that are set."""
    names = ("fail-if-slower", "fail-if-accuracy-drops", "fail-if-quality-drops")
    values = {name: os.environ[name.upper().replace("-", "_")].strip() for name in names}
    if not any(values.values()):
        raise Failed(2, "no limit is set: set fail-if-slower, fail-if-accuracy-drops or fail-if-quality-drops")
    return [text for name, value in values.items() if value for text in (f"--{name}", value)]


def result_of(code: int, rows: list[dict[str, object]]) -> str:
    """Return the result of all rows: any undecided one makes the result undecided, unless one failed."""
    if code:
        return "failed"
    return "undecided" if {row["gate"] for row in rows} & {"undecided", "not judged"} else "passed"


_HEADINGS = {
    "passed": "within the limits",
    "failed": "slower or less accurate than the limits allow",
    "undecided": "undecided, neither shown to be within the limits nor beyond them",
    "error": "not compared",
}


def judgements_first(markdown: str) -> str:
    """Return the output of `compare` with its judgements as a list above the table."""
    parts = markdown.strip().split("\n\n")
    judged = [part for part in parts if part.split(":")[0] in ("FAILED", "undecided", "not judged", "passed")]
    lines = [f"- **{part.split(':')[0]}**:{part.partition(':')[2]}" for part in judged]
    return "\n\n".join(["\n".join(lines), *(part for part in parts if part not in judged)])


def comment_of(result: str, body: str, seconds: float) -> str:
    """Return the comment as Markdown."""
    model, commit = os.environ["MODEL"].replace("`", "'"), os.environ.get("BASE_COMMIT", "")
    # says which commit it is about: a later commit that cannot be compared leaves this comment as it is
    head = os.environ["HEAD_COMMIT"][:12]
    base = f"commit {commit[:12]}" if commit else "`baseline`" if os.environ["BASELINE"] else "`base-model`"
    undecided = (
        "An interval contains the limit, or there is none, so the gate passes. More `trials` and `processes` narrow "
        "the intervals of times, more images those of accuracies.\n\n"
    )
    return (
        f"### `{model}`: {_HEADINGS[result]}\n\n{undecided if result == 'undecided' else ''}{body.strip()}\n\n"
        f"<sub>Commit {head} compared with {base}, measured in {seconds:.0f} s in this job by edge-bench.</sub>\n"
    )


def main() -> None:
    results = Path(os.environ["RESULTS"]).absolute()
    if any(results.glob("**/run-*.json")):
        sys.exit(f"::error::results: {results} has Run files already: choose another folder")
    results.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        chosen = limits()
        arguments = ["compare", *measure(results), *chosen]
        code, text = edge_bench(*arguments, "--format", "json", accepted=(0, 3))
        rows = json.loads(text)
        (results / "comparison.json").write_text(text)
        result = result_of(code, rows)
        body = judgements_first(edge_bench(*arguments, "--format", "markdown", accepted=(code,))[1])
    except Failed as cause:
        text = str(cause).replace("```", "'''")  # it must not end the block
        code, result, body = cause.code, "error", f"```text\n{text}\n```"
        print(f"::error::{str(cause).splitlines()[0] if str(cause) else 'edge-bench failed'}")
    comment = comment_of(result, body, time.monotonic() - began)
    (results / "comment.md").write_text(comment)
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a") as summary:
        summary.write(comment)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"result={result}\nexit-code={code}\nresults={results}\n")
    print(comment)


if __name__ == "__main__":
    main()
