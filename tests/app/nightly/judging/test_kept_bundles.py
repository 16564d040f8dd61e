"""Bundles that are kept for second measurements, and both models as one bundle."""

from pathlib import Path

import msgspec

from edge_bench.app.nightly.confirming.both_models import OLD, both_models, why_not_together
from edge_bench.app.nightly.confirming.kept_bundles import keep_bundle, kept_bundle, remove_others
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.bundle import Bundle


def test_a_bundle_is_kept_by_its_checksum_and_checked(bundle_copy: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(bundle_copy)
    keep_bundle(bundle, tmp_path)
    keep_bundle(bundle, tmp_path)
    kept = kept_bundle(bundle.digest, tmp_path)
    assert kept is not None
    assert [kept.checked(variant).name for variant in kept.variants]
    assert kept_bundle("0" * 64, tmp_path) is None
    assert kept_bundle("../" + bundle.digest, tmp_path) is None
    with (kept.folder / "manifest.json").open("ab") as file:
        file.write(b" ")
    assert kept_bundle(bundle.digest, tmp_path) is None
    remove_others({"x"}, tmp_path)
    assert not list((tmp_path / "nights" / "bundles").iterdir())


def test_both_models_are_one_bundle(bundle_copy: Path, tmp_path: Path) -> None:
    old = Bundle.open(bundle_copy)
    keep_bundle(old, tmp_path)
    variants = [
        msgspec.structs.replace(each, file=old.variant("float32").file, bytes=old.variant("float32").bytes,
                                sha256=old.variant("float32").sha256)
        if each.name == "int8" else each
        for each in old.variants
    ]  # fmt: skip
    manifest = msgspec.structs.replace(old.manifest, created="2027-01-01T00:00:00+00:00", variants=variants)
    (bundle_copy / "manifest.json").unlink()  # a hard link to the kept one
    (bundle_copy / "manifest.json").write_bytes(encode_record(manifest))
    new, kept = Bundle.open(bundle_copy), kept_bundle(old.digest, tmp_path)
    assert kept is not None
    assert why_not_together(new, kept, ["int8"]) == ""
    together = Bundle.open(both_models(new, kept, ["int8", "float32"], tmp_path / "both"))
    assert {each.name for each in together.variants} == {"int8", "float32", f"{OLD}int8", f"{OLD}float32"}
    assert sha256_of(together.checked(together.variant(f"{OLD}int8"))) == old.variant("int8").sha256
    assert sha256_of(together.checked(together.variant("int8"))) == old.variant("float32").sha256
    other = msgspec.structs.replace(kept.manifest, task="regress")
    assert why_not_together(new, Bundle(kept.folder, other, ""), ["int8"])
