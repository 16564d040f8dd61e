"""Size of an image by part: ``python -m studies.cost.image_parts IMAGE [--platform linux/arm64]``.

Reads the files of the image with `docker export`. A part is a Python package, Debian, or edge-bench. Its compressed
size is that of a .tar.gz of its files alone, so the sum differs a little from the size of the image's layers.
"""

import argparse
import io
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Iterator

SITE = "opt/edge-bench/lib/python3.11/site-packages/"
#: Packages that belong together.
TOGETHER = {"numpy.libs": "numpy", "pillow.libs": "PIL", "scipy.libs": "scipy", "h5py.libs": "h5py"}


def part_of(name: str) -> str:
    """Return the part that a file belongs to."""
    if name.startswith(SITE):
        folder = name.removeprefix(SITE).split("/")[0]
        return TOGETHER.get(folder, folder) if not folder.endswith(".dist-info") else "metadata and licences"
    if name.startswith(("usr/lib/python3", "usr/bin/python3")):
        return "Python"
    if name.startswith("usr/share/doc/edge-bench/"):
        return "metadata and licences"
    return "a bundle" if name.startswith("artifacts/") else "Debian"


def files(image: str, platform: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every regular file of an image."""
    create = ["docker", "create", "--platform", platform, image]
    container = subprocess.run(create, capture_output=True, text=True, check=True).stdout.strip()
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            assert export.stdout is not None
            with tarfile.open(fileobj=export.stdout, mode="r|") as members:
                for member in members:
                    if member.isfile() and (file := members.extractfile(member)) is not None:
                        yield member.name, file.read()
    finally:
        subprocess.run(["docker", "rm", container], capture_output=True, check=True)


def main() -> None:
    """Print a table of the parts, the largest first."""
    parser = argparse.ArgumentParser(description="Size of an image by part.")
    parser.add_argument("image")
    parser.add_argument("--platform", default="linux/arm64")
    parser.add_argument("--fewest", type=float, default=0.5, help="compressed MB of a part with a row of its own")
    options = parser.parse_args(sys.argv[1:])
    sizes, archives = dict[str, int](), dict[str, tuple[tarfile.TarFile, io.BytesIO]]()
    for name, data in files(options.image, options.platform):
        part = part_of(name)
        buffer = archives.setdefault(part, _archive())[0]
        header = tarfile.TarInfo(name)
        header.size = len(data)
        buffer.addfile(header, io.BytesIO(data))
        sizes[part] = sizes.get(part, 0) + len(data)
    rows, rest = list[tuple[str, float, float]](), (0.0, 0.0)
    for part, (archive, stream) in archives.items():
        archive.close()
        row = (sizes[part] / 1e6, len(zlib.compress(stream.getvalue(), 6)) / 1e6)
        if row[1] >= options.fewest:
            rows.append((part, *row))
        else:
            rest = (rest[0] + row[0], rest[1] + row[1])
    rows = [*sorted(rows, key=lambda row: -row[2]), (f"{len(archives) - len(rows)} others", *rest)]
    print("| part | MB | compressed, MB |\n| --- | --- | --- |")
    for part, plain, compressed in rows:
        print(f"| {part} | {plain:.1f} | {compressed:.1f} |")
    print(f"| **all** | **{sum(row[1] for row in rows):.0f}** | **{sum(row[2] for row in rows):.1f}** |")


def _archive() -> tuple[tarfile.TarFile, io.BytesIO]:
    stream = io.BytesIO()
    return tarfile.open(fileobj=stream, mode="w"), stream


if __name__ == "__main__":
    main()
