"""A shell that executes the blocks of a page in order, in one folder, as a reader would."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.command_line import REPOSITORY, clean_environment
from tests.docs.pages import Block, command_lines

__all__ = ["LIMITS", "execute", "port_is_free", "words_of"]

#: They make commands quick without changing them.
LIMITS = {
    "EDGE_BENCH_TRIALS": "2", "EDGE_BENCH_PROCESSES": "2", "EDGE_BENCH_LIMIT": "100", "EDGE_BENCH_EPOCHS": "1",
    "EDGE_BENCH_DATASET": "digits", "EDGE_BENCH_ACCURACY_IMAGES": "20",
    "EDGE_BENCH_TRIAL_SECONDS": "0.2",  # pages compare times
    "EDGE_BENCH_PROFILE_SECONDS": "0.02",
}  # fmt: skip
PORT = 8000
#: A server in the foreground would wait for Ctrl-C, and readers would open another terminal for what follows. So this
#: returns when the server is ready, and the next server ends it. In the background, where stdin is /dev/null, it is the
#: command itself.
_EDGE_BENCH = """#!/bin/bash
if [[ ${{1-}} != serve || /dev/stdin -ef /dev/null ]]; then exec {python} -m edge_bench "$@"; fi
{folder}/end-server
{python} -m edge_bench "$@" 2> {folder}/server.log &
echo $! > {folder}/server
for _ in {{1..600}}; do
  if grep -qE 'https?://.*:[0-9]+$' {folder}/server.log; then exit 0; fi
  if ! kill -0 $! 2>/dev/null; then break; fi
  sleep 0.1
done
cat {folder}/server.log >&2
exit 1
"""
_END_SERVER = """#!/bin/bash
if [[ ! -f {folder}/server ]]; then exit 0; fi
kill "$(< {folder}/server)"
while kill -0 "$(< {folder}/server)" 2>/dev/null; do sleep 0.1; done
rm {folder}/server
"""
_MAKE = '#!/bin/bash\nexec /usr/bin/env -u MAKEFLAGS {make} --dry-run -C {repository} "$@" > /dev/null\n'


def words_of(blocks: list[Block]) -> set[str]:
    """Return all words of the commands in these blocks, without a trailing slash."""
    return {word.rstrip("/") for block in blocks for words in command_lines(block.text) for word in words}


def execute(blocks: list[Block], folder: Path, timeout: float) -> None:
    """Execute blocks in order in one shell; assert that every command succeeds within ``timeout`` seconds in all."""
    _programs(folder / ".bin")
    script = ["set -euo pipefail"]
    for block in blocks:
        serves = any(words[:2] == ["edge-bench", "serve"] for words in command_lines(block.text))
        script += [f"echo '::block {block}' >&2", "end-server" if serves else "", block.text]
    environment = clean_environment(folder) | LIMITS | {
        "PATH": os.pathsep.join([str(folder / ".bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "MPLCONFIGDIR": str(folder / ".matplotlib"),
    }  # fmt: skip
    log = folder / ".log"
    with log.open("wb") as output, subprocess.Popen(
        ["bash", "-c", "\n".join(script)], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=output,
        stderr=subprocess.STDOUT, start_new_session=True,
    ) as shell:  # fmt: skip
        try:
            code: int | None = shell.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(shell.pid)
    text = log.read_text(encoding="utf-8", errors="replace")
    _, _, last = text.rpartition("::block ")
    assert code == 0, f"{'timeout' if code is None else f'exit code {code}'} in {last}"


def _programs(folder: Path) -> None:
    """Write ``edge-bench``, ``end-server``, and ``make``, which only looks whether its targets exist."""
    folder.mkdir()
    make = next(path for each in os.environ["PATH"].split(os.pathsep) if (path := Path(each) / "make").exists())
    texts = {
        "edge-bench": _EDGE_BENCH.format(python=sys.executable, folder=folder),
        "end-server": _END_SERVER.format(folder=folder),
        "make": _MAKE.format(make=make, repository=REPOSITORY),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def _end(group: int) -> None:
    """End every process of a group, servers in the background above all."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
            for _ in range(100):
                os.killpg(group, 0)
                time.sleep(0.1)


def port_is_free() -> bool:
    """Return whether a server can listen on the default port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", PORT))
        except OSError:
            return False
    return True
