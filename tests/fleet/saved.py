"""A small archive as `docker save` writes it: an index of two platforms, an attestation and an incomplete platform."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

LAYERS = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]


def saved_image(path: Path) -> Path:
    """Write an image for linux/amd64 and linux/arm64, as an engine with the containerd image store saves it."""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def manifest(architecture: str, layers: list[str], *, complete: bool = True) -> dict[str, Any]:
        config = json.dumps(
            {"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": layers}}
        ).encode()
        parts = [blob(f"{architecture} {layer}".encode()) for layer in layers]
        described = blob(json.dumps({"config": blob(config), "layers": parts}).encode())
        if not complete:
            blobs.pop("blobs/" + parts[0]["digest"].replace(":", "/"))
        return described

    attestation = manifest("unknown", LAYERS) | {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    index = blob(json.dumps({
        "manifests": [manifest("amd64", LAYERS), manifest("arm64", LAYERS[::-1]), attestation,
                      manifest("riscv64", LAYERS, complete=False)],
    }).encode())  # fmt: skip
    blobs["index.json"] = json.dumps({"manifests": [index]}).encode()
    with tarfile.open(path, "w") as out:
        for name, data in blobs.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
    return path
