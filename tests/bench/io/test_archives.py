"""Archives that are damaged or hostile: only ordinary files come out, never more bytes than were read."""

import contextlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.bench.io.archives import (
    MAX_EXTENDED_BYTES,
    ArchiveError,
    extract_tar,
    is_ordinary,
    open_member,
    tar_files,
)

MOST = 1 << 20


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> bytes:
    """Return the header of a member."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.linkname = kind, size, link
    return entry.tobuf(tarfile.GNU_FORMAT)


def filled(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def pax(records: dict[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Return an extended header with its records."""
    content = b"".join(record(key, value) for key, value in records.items())
    return member("pax", kind, len(content)) + filled(content)


def record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n".encode()
    length = len(body) + 1
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def gnu_sparse(real_size: int) -> bytes:
    """Return GNU's old sparse member: one block of data, and a hole up to ``real_size``."""
    header = bytearray(member("runs/run-1.json", tarfile.GNUTYPE_SPARSE, 512))
    header[386:398], header[398:410] = b"%011o\0" % 0, b"%011o\0" % 512
    header[483:495] = b"%011o\0" % real_size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(512)


def extracted(content: bytes, folder: Path, most: int = MOST) -> list[str]:
    paths = extract_tar(io.BytesIO(content), folder, lambda _: True, most)
    return [path.relative_to(folder).as_posix() for path in paths]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


SPARSE = {
    "GNU's": gnu_sparse(3 << 30) + bytes(1024),
    "PAX 0.0": pax({"GNU.sparse.size": str(3 << 30), "GNU.sparse.numblocks": "0"}) + member("a") + bytes(1024),
    "PAX 0.1": pax({"GNU.sparse.size": str(3 << 30), "GNU.sparse.map": "0,0"}) + member("a") + bytes(1024),
    "PAX 1.0": pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(3 << 30)})
    + member("a", size=512) + filled(b"1\n0\n0\n") + bytes(1024),
    "a global header's": pax({"GNU.sparse.realsize": str(3 << 30)}, tarfile.XGLTYPE) + member("a") + bytes(1024),
    "star's": pax({"SCHILY.realsize": str(3 << 30)}) + member("a") + bytes(1024),
}  # fmt: skip


@pytest.mark.parametrize("form", list(SPARSE))
def test_sparse_files_are_refused_in_every_form(form: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        extracted(SPARSE[form], tmp_path)
    assert size_of(tmp_path) == 0


@pytest.mark.parametrize(
    "options", [["--format=gnu"], *[["--format=pax", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0")]]
)
def test_sparse_files_of_gnu_tar_are_refused(options: list[str], tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(64 << 20)
        file.write(b"end")
    made = subprocess.run(["tar", "--sparse", *options, "-c", "-C", tmp_path, "a"], capture_output=True, check=True)
    assert len(made.stdout) < MOST
    with pytest.raises(ArchiveError):
        extracted(made.stdout, tmp_path / "out")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        assert not any(map(is_ordinary, archive))


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
        tarfile.CONTTYPE,
        b"Z",
    ],
)  # fmt: skip
def test_only_ordinary_files_are_extracted(kind: bytes, tmp_path: Path) -> None:
    content = member("odd", kind, link="/etc/passwd") + member("b", size=3) + filled(b"abc") + bytes(1024)
    assert extracted(content, tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"abc"
    assert not (tmp_path / "odd").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..", ".", "link/evil", "a\0b"])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    long = pax({"path": name}) + member("x", size=1) + filled(b"x")
    gnu = member("L", tarfile.GNUTYPE_LONGNAME, len(name)) + filled(name.encode()) + member("x", size=1) + filled(b"x")
    for content in (long, gnu, member(name, size=1) + filled(b"x")):
        with contextlib.suppress(ArchiveError):
            extracted(content + bytes(1024), folder)
    assert not list(tmp_path.rglob("evil"))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_long_names_and_sizes_of_extended_headers_are_read(tmp_path: Path) -> None:
    long = "deep/" * 40 + "é.json"
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as out:
            entry = tarfile.TarInfo(long)
            entry.size, entry.mtime = 700, 1.5
            out.addfile(entry, io.BytesIO(b"a" * 700))
        assert extracted(file.getvalue(), tmp_path / str(form)) == [long]
        assert (tmp_path / str(form) / long).read_bytes() == b"a" * 700
    sized = pax({"size": "600"}) + member("a", size=0) + filled(b"b" * 600) + bytes(1024)
    assert extracted(sized, tmp_path / "sized") == ["a"]
    assert size_of(tmp_path / "sized") == 600


class Counted:
    """A stream that counts what is read of it, and never ends if it repeats."""

    def __init__(self, head: bytes, repeated: bytes) -> None:
        self._pending, self._repeated, self.taken = head, repeated, 0

    def read(self, size: int, /) -> bytes:
        while len(self._pending) < size and self._repeated:
            self._pending += self._repeated * max(1, size // len(self._repeated))
        part, self._pending = self._pending[:size], self._pending[size:]
        self.taken += len(part)
        return part


ENDLESS = {
    "a file": (member("a", size=1 << 40), bytes(512)),
    "empty files": (b"", member("a")),
    "folders": (b"", member("a", tarfile.DIRTYPE)),
    "a long name": (member("a", tarfile.GNUTYPE_LONGNAME, 1 << 40), b"a" * 512),
    "long names": (b"", member("a", tarfile.GNUTYPE_LONGNAME, 512) + b"a" * 512),
    "an extended header": (member("a", tarfile.XHDTYPE, 1 << 40), b"9 a=bcd\n" * 64),
    "extended headers": (b"", pax({"a": "b" * 300})),
    "global headers": (b"", pax({"a": "b" * 300}, tarfile.XGLTYPE)),
    "a file that is not wanted": (member("no", size=1 << 40), bytes(512)),
    "zeros after the end": (bytes(1024), bytes(512)),
    "an unknown kind": (member("a", b"Q", 1 << 40), bytes(512)),
}  # fmt: skip


@pytest.mark.parametrize("what", list(ENDLESS))
def test_endless_archives_end_at_the_limit(what: str, tmp_path: Path) -> None:
    stream = Counted(*ENDLESS[what])
    with pytest.raises(ArchiveError):
        extract_tar(stream, tmp_path, lambda name: name != "no", MOST)
    assert stream.taken <= 2 * MOST + (1 << 16)
    assert size_of(tmp_path) <= MOST


def test_many_members_are_refused() -> None:
    stream = Counted(b"", member("a"))
    with pytest.raises(ArchiveError):
        for _ in tar_files(stream, 1 << 40):
            pass
    assert stream.taken < 16 << 20


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 2000,
        b"short",
        member("a", size=600) + bytes(100),
        member("a") + b"x" * 512,
        member("a")[:148] + b"0000000\0" + member("a")[156:],
        pax({"size": "-1"}) + member("a"),
        pax({"size": "9" * 30}) + member("a"),
        pax({"size": "x"}) + member("a"),
        member("p", tarfile.XHDTYPE, 9) + filled(b"999 a=bc\n") + member("a"),
        member("p", tarfile.XHDTYPE, 9) + filled(b"0 a=bcde\n") + member("a"),
        member("p", tarfile.XHDTYPE, 9) + filled(b"abcdefgh\n") + member("a"),
        pax({"path": "b"}, tarfile.XGLTYPE) + member("a"),
        (member("a", size=1) + filled(b"x")) * 2 + bytes(1024),
        member("L", tarfile.GNUTYPE_LONGNAME, MAX_EXTENDED_BYTES + 1),
    ],
)  # fmt: skip
def test_damaged_archives_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        extracted(content, tmp_path)


def _zip(info: zipfile.ZipInfo, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipFile:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, content, method)
    return zipfile.ZipFile(file)


def odd_zips() -> Iterator[zipfile.ZipFile]:
    link, device = zipfile.ZipInfo("a"), zipfile.ZipInfo("a")
    link.external_attr, device.external_attr = 0o120777 << 16, 0o020666 << 16
    yield _zip(link, b"/etc/passwd")
    yield _zip(device, b"")
    yield _zip(zipfile.ZipInfo("a/"), b"")
    yield _zip(zipfile.ZipInfo("a"), bytes(2 * MOST))
    yield _zip(zipfile.ZipInfo("a"), b"x", zipfile.ZIP_BZIP2)
    yield _zip(zipfile.ZipInfo("a"), b"x", zipfile.ZIP_LZMA)


def test_only_ordinary_members_of_a_zip_within_the_limit_are_opened() -> None:
    for archive in odd_zips():
        with pytest.raises(ArchiveError):
            open_member(archive, archive.infolist()[0], MOST)
    plain = _zip(zipfile.ZipInfo("a"), b"abc")
    with open_member(plain, plain.infolist()[0], MOST) as file:
        assert file.read() == b"abc"


def test_a_zip_member_is_not_read_beyond_its_stated_size() -> None:
    archive = _zip(zipfile.ZipInfo("a"), bytes(4 * MOST))
    info = archive.infolist()[0]
    info.file_size = 10
    with open_member(archive, info, MOST) as file, pytest.raises(zipfile.BadZipFile):
        file.read(8 * MOST)
