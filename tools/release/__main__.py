"""``python -m tools.release``: make, publish and verify a release (``make release``).

1. release notes from CHANGELOG.md, wheel and sdist
2. images for all platforms, with provenance, to a registry, under candidate tags
3. each image pulled and run on every platform, and its bill of materials made from its files
4. signatures of all of these with a key, and checksums
5. all signatures and bills of materials verified as a user would
6. only then the tags of the release

With ``--dry-run`` the registry is a temporary one on this machine, and the key a temporary one.
"""

import argparse
import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_bench.bench.version import __version__, revision
from tools.release import artefacts
from tools.release.errors import ReleaseError, call, say
from tools.release.images import Platform, ReleasedImage, copy_files, publish, pull_and_run, push, remove
from tools.release.notes import release_notes
from tools.release.registry import local_registry
from tools.release.sbom import image_sbom
from tools.release.signatures import Keys, new_keys

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str]) -> int:
    """Make the release, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Make, publish and verify a release.")
    parser.add_argument("--registry", default="", help="where to push, such as registry.example/someone")
    parser.add_argument("--key", type=Path, help="cosign's private key; its public key is beside it as .pub")
    parser.add_argument("--output", type=Path, default=Path("dist"), help="a folder, which is emptied")
    parser.add_argument("--dry-run", action="store_true", help="with a registry and a key of its own, on this machine")
    options = parser.parse_args(arguments)
    try:
        with _destination(options) as (registry, keys):
            _release(registry, keys, options.output, dry_run=options.dry_run)
    except ReleaseError as cause:
        print(f"error: {cause}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _destination(options: argparse.Namespace) -> Iterator[tuple[str, Keys]]:
    """Yield the registry to push to and the keys to sign with."""
    if not options.dry_run:
        if not options.registry or not options.key:
            raise ReleaseError("set REGISTRY and COSIGN_KEY, or DRY_RUN=1")
        public = options.key.with_suffix(".pub")
        for file in (options.key, public):
            if not file.is_file():
                raise ReleaseError(f"{file} does not exist: cosign generate-key-pair makes both keys")
        yield options.registry, Keys(options.key, public)
        return
    with tempfile.TemporaryDirectory(prefix="edge-bench-release-") as name:
        os.environ["COSIGN_PASSWORD"] = secrets.token_hex(16)
        with local_registry(Path(name)) as registry:
            try:
                yield registry, new_keys(Path(name))
            finally:
                remove(f"{registry}/edge-bench")


def _release(registry: str, keys: Keys, output: Path, *, dry_run: bool) -> None:
    if not dry_run and call(["git", "status", "--porcelain"]):
        raise ReleaseError("there are uncommitted changes: a release is made from a commit")
    notes = release_notes((_ROOT / "CHANGELOG.md").read_text(), __version__, dry_run=dry_run)
    files = artefacts.build(output, __version__)
    files.append(output / "release-notes.md")
    files[-1].write_text(notes)
    say(f"{__version__}: {', '.join(each.name for each in files)}")
    bake = {
        "EDGE_BENCH_VERSION": __version__,
        "EDGE_BENCH_REVISION": revision(),
        "REPOSITORY": f"{registry}/edge-bench",
    }
    say("building and pushing images")
    images = push(bake)
    for image in images:
        files += _signed(image, keys, output)
    shutil.copyfile(keys.public, output / "cosign.pub")
    checksums = artefacts.write_checksums(files, output / "SHA256SUMS")
    keys.verify_file(checksums, keys.sign_file(checksums))
    say(f"{output}/SHA256SUMS.sig is a valid signature of the checksums of {len(files)} files")
    _publish(images, keys)
    if dry_run:
        say("dry run: nothing has left this machine")
    else:
        packages = f"{output}/*.whl {output}/*.tar.gz"
        say(f"to do: git tag v{__version__}, and uv publish {packages}; CONTRIBUTING.md has the rest")


def _publish(images: Sequence[ReleasedImage], keys: Keys) -> None:
    """Give the images their tags, and verify them by these."""
    publish(images, __version__)
    for image in images:
        for tag in image.tags:
            keys.verify(tag)
        say(f"edge-bench:{image.name} has its tags: {' '.join(image.tags)}")


def _signed(image: ReleasedImage, keys: Keys, output: Path) -> list[Path]:
    """Run, sign and verify an image on every platform; return the files of its bills of materials."""
    for platform in image.platforms:
        printed = pull_and_run(platform)
        if printed != f"edge-bench {__version__}":
            raise ReleaseError(f"edge-bench:{image.name} for {platform.name} prints {printed!r}")
    keys.sign(image)
    for reference in (image.reference, *(each.reference for each in image.platforms)):
        keys.verify(reference)
    files = [_attached_sbom(image, platform, keys, output) for platform in image.platforms]
    sizes = ", ".join(f"{each.name} ({each.size / 1e6:.1f} MB compressed)" for each in image.platforms)
    say(f"edge-bench:{image.name} runs, is signed and has an SBOM on {sizes}")
    return files


def _attached_sbom(image: ReleasedImage, platform: Platform, keys: Keys, output: Path) -> Path:
    """Make the SBOM from the files of the image, attach it, and compare what the registry then returns with it."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-sbom-") as name:
        copy_files(platform, Path(name))
        text = image_sbom(Path(name), image.name, __version__, platform.name)
    file = output / f"sbom-{image.name}-{platform.name.rpartition('/')[2]}.cdx.json"
    file.write_text(text)
    keys.attach_sbom(platform, file)
    if keys.verified_sbom(platform) != json.loads(text):
        raise ReleaseError(f"the registry returns another SBOM of {platform.reference} than the attached one")
    return file


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
