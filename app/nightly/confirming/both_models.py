"""One bundle with the variants of two: the new model, and the old one as ``old-…``, to be measured interleaved."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from edge_bench.app.nightly.confirming.kept_bundles import link_or_copy
from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import Manifest, Variant
from edge_bench.bench.records.ncnn_files import PARAM, weights_of

__all__ = ["OLD", "both_models", "why_not_together"]

#: Begins the names of the old model's variants, and of their files.
OLD = "old-"


def why_not_together(new: Bundle, old: Bundle, variants: Sequence[str]) -> str:
    """Return why two bundles cannot be measured in one run; empty if they can."""
    if new.manifest.is_graph != old.manifest.is_graph or new.manifest.task != old.manifest.task:
        return "the task of the model changed"
    if new.manifest.preprocessing != old.manifest.preprocessing:
        return "the preprocessing changed"
    names = {variant.name: variant for variant in old.variants}
    for variant in new.variants:
        other = names.get(variant.name)
        if variant.name in variants and other is None:
            return f"the old bundle has no variant {variant.name}"
        if variant.name in variants and other and _sizes(variant) != _sizes(other):
            return f"the inputs of {variant.name} changed"
    return ""


def _sizes(variant: Variant) -> list[list[int]]:
    return [spec.shape for spec in variant.all_inputs]


def both_models(new: Bundle, old: Bundle, variants: Sequence[str], folder: Path) -> Path:
    """Write a bundle with both models' ``variants`` and the new one's test set into ``folder``, and return it.

    Raise BundleError if a file of a bundle was altered.
    """
    kept = [variant for variant in new.variants if variant.name in variants]
    added = [(old.variant(variant.name), _renamed(old.variant(variant.name))) for variant in kept]
    for variant in kept:
        _link(new.checked(variant), folder / variant.file)
    for variant, renamed in added:
        _link(old.checked(variant), folder / renamed.file)
    manifest = new.manifest
    for entry in (manifest.test_images, manifest.test_labels, manifest.truth, *manifest.test_inputs.values()):
        if entry:
            _link(new.checked(entry), folder / entry.file)
    decodings = dict(manifest.decodings)
    for variant, renamed in added:
        if variant.name in old.manifest.decodings:
            decodings[renamed.name] = old.manifest.decodings[variant.name]
    together = msgspec.structs.replace(
        manifest, history=None, variants=[*kept, *(renamed for _, renamed in added)], decodings=decodings
    )
    _write(together, folder)
    return folder


def _renamed(variant: Variant) -> Variant:
    path = PurePosixPath(variant.file)
    file = str(path.with_name(f"{OLD}{path.name}"))
    return msgspec.structs.replace(variant, name=f"{OLD}{variant.name}", file=file)


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    if source.suffix == PARAM:
        link_or_copy(source.with_name(weights_of(PurePosixPath(source.name)).name),
                     target.with_name(weights_of(PurePosixPath(target.name)).name))  # fmt: skip
    link_or_copy(source, target)


def _write(manifest: Manifest, folder: Path) -> None:
    try:
        write_atomically(folder / MANIFEST, encode_record(manifest))
    except OSError as cause:
        raise unwritable(folder, cause, "use another folder", BundleError) from None
