"""Start and stop an emulated Raspberry Pi.

python -m tools.emulated_pi up [--memory 1024] [--core cortex-a53] [--clock 2025-11-27T12:00:00]
python -m tools.emulated_pi down
python -m tools.emulated_pi check     # whether this computer has the programs
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from tools.emulated_pi.machine import HOST, USER, EmulatedPi, Trouble, build, require_programs


def time(text: str) -> str:
    """Return a time in the form that QEMU and systemd take, in UTC; ``utc`` is now. Raise ValueError for others."""
    return text if text == "utc" else f"{datetime.fromisoformat(text).replace(tzinfo=None):%Y-%m-%dT%H:%M:%S}"


def main(arguments: list[str] | None = None) -> int:
    """Execute one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.emulated_pi", description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=["up", "down", "check"], help="start it, shut it down, or look for programs")
    parser.add_argument("--folder", type=Path, default=Path("build/pi"), help="of its files (default: build/pi)")
    parser.add_argument("--name", default="raspberrypi", help="its host name; each name has a disk of its own")
    parser.add_argument("--port", type=int, default=2222, help="of ssh, on 127.0.0.1 (default: 2222)")
    parser.add_argument("--memory", type=int, default=2048, help="in MB (default: 2048)")
    parser.add_argument("--cores", type=int, default=2, help="(default: 2)")
    parser.add_argument("--core", default="cortex-a72", help="cortex-a53, cortex-a72 (default) or cortex-a76")
    parser.add_argument("--disk", type=int, default=8, help="size in GB, when it is first made (default: 8)")
    parser.add_argument("--clock", type=time, default="utc", help="to start with: 2025-11-27T12:00:00 (default: now)")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    pi = EmulatedPi(
        folder, options.name, options.port, options.memory, options.cores, options.core, options.disk, options.clock
    )
    try:
        if options.command == "down":
            pi.shut_down()
            return 0
        require_programs()
        if options.command == "check":
            return 0
        build(folder)
        pi.start()
    except Trouble as cause:
        print(cause, file=sys.stderr)
        return 2
    print(f'export PATH="{pi.programs}:$PATH"    # then: ssh {USER}@{HOST}')
    return 0


if __name__ == "__main__":
    sys.exit(main())
