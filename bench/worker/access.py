"""The files that a worker may use: its model, its images, and its own temporary folder."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.io.files import is_within
from edge_bench.bench.io.names import is_utf8
from edge_bench.bench.io.temporary import Scratch
from edge_bench.bench.model_formats.onnx_graph import external_locations
from edge_bench.bench.records.ncnn_files import PARAM, weights_of
from edge_bench.bench.sandbox.devices import device_reads, devices
from edge_bench.bench.sandbox.launch import Access
from edge_bench.bench.sandbox.support import Support

__all__ = ["WorkerScratch", "access_to"]


def access_to(files: Sequence[Path], delegate: Path | None = None) -> Access:
    """Return access to files and folders, and to the files beside an .onnx or .param file that have its tensors.

    With ``delegate``, a library, also to that, to the shared libraries beside it, and to the devices of delegates.
    """
    read = [each for file in files for each in (file, *_external_files(file))]
    if delegate is None:
        return Access(read=read)
    return Access(read=[*read, *_libraries_beside(delegate), *device_reads()], devices=devices())


def _libraries_beside(library: Path) -> list[Path]:
    """Return a library and those in its folder, and in the folder of the file that it links to."""
    folders = dict.fromkeys((library.absolute().parent, library.resolve().parent))
    found = [library, library.resolve()]
    for folder in folders:
        with contextlib.suppress(OSError):
            found += [each for each in folder.iterdir() if ".so" in each.name]
    return found


def _external_files(file: Path) -> list[Path]:
    if file.suffix == PARAM:
        return [weights_of(file)]
    if file.suffix != ".onnx":
        return []
    try:
        locations = external_locations(file)
    except (OSError, ValueError):
        return []  # the runtime reports what is wrong with the file
    # as in ONNX Runtime, also beside the target of a link
    folders = dict.fromkeys((file.absolute().parent, file.resolve().parent))
    found = [(folder, folder / location) for location in locations for folder in folders]
    return [path for folder, path in found if is_within(folder, path) and path.is_file()]


class WorkerScratch:
    """A temporary folder for one sandboxed worker."""

    def __init__(self, access: Access, support: Support) -> None:
        """Create it if the worker needs a writable folder and has none yet.

        It is not created without a writable temporary folder. Nor is it if only the filter of system calls can keep the
        worker from writing, because that cannot distinguish folders, unless a file needs a link with another name.
        """
        self.access = access
        self._scratch: Scratch | None = None
        if access.scratch is None and (support.landlock or not all(is_utf8(str(file)) for file in access.read)):
            with contextlib.suppress(OSError):
                self._scratch = Scratch()
                self.access = access._replace(scratch=self._scratch.folder)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that make it the worker's temporary folder."""
        return {} if self.access.scratch is None else {"TMPDIR": str(self.access.scratch)}

    def remove(self) -> None:
        """Remove it with everything that the worker left in it. Safe to call twice."""
        if self._scratch is not None:
            with contextlib.suppress(RecursionError):  # folders nested on purpose
                self._scratch.remove()
            self._scratch = None
