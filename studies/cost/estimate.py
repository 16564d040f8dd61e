"""The duration that `run` announces before its first trial, compared with the real one.

    python -m studies.cost.estimate artifacts/bundle --limit 500
    python -m studies.cost.estimate model.tflite --data photos --budget 1m

All arguments are those of `edge-bench run`. The real duration is that from the announcement to the last trial. With
``--budget``, the time from the start of the first worker to the last trial is also printed.
Figures: docs/reliability.md.
"""

import subprocess
import sys
import time

from edge_bench.app.cli.parsing import duration

#: Starts of lines on stderr: measuring the speed, the announcement, and the end of the trials.
SPEED, ANNOUNCED, ENDED = "measuring speed for --budget: ", "about ", "measuring: "


def main() -> int:
    command = [sys.executable, "-m", "edge_bench", "run", *sys.argv[1:]]
    moments: dict[str, float] = {}
    announcement = ""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            print(line, end="", file=sys.stderr)
            now = time.monotonic()
            if line.startswith(SPEED):
                moments.setdefault(SPEED, now)
            elif line.startswith(ANNOUNCED):
                moments[ANNOUNCED], announcement = now, line.removeprefix(ANNOUNCED).partition(":")[0]
            elif line.startswith(ENDED):
                moments[ENDED] = now
    if not announcement:
        return process.returncode or 1
    announced, real = duration(announcement) or 0.0, moments[ENDED] - moments[ANNOUNCED]
    print(f"announced {announced:.0f} s, real {real:.0f} s: {announced / real - 1:+.0%}")
    if SPEED in moments:
        print(f"from the first worker to the last trial: {moments[ENDED] - moments[SPEED]:.0f} s")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
