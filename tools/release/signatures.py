"""Signatures with a key, by cosign: of images, of their bills of materials, and of files."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.release.errors import ReleaseError, call
from tools.release.images import Platform, ReleasedImage

__all__ = ["Keys", "new_keys"]

_SBOM = "cyclonedx"
#: Signatures by key are not in the public log: nothing is sent to anybody but the registry.
_NO_LOG = "--tlog-upload=false"
_WITHOUT_LOG = "--insecure-ignore-tlog=true"


@dataclass(frozen=True)
class Keys:
    """A private key, protected by COSIGN_PASSWORD, and its public key."""

    private: Path
    public: Path

    def sign(self, image: ReleasedImage) -> None:
        """Sign the index and the image of every platform."""
        call(["cosign", "sign", "--yes", "--recursive", _NO_LOG, "--key", self.private, image.reference])

    def attach_sbom(self, platform: Platform, sbom: Path) -> None:
        """Attach an SBOM to the image of a platform, as a signed attestation."""
        # --replace: an image that was released before has an SBOM already
        options = ("--yes", "--replace", _NO_LOG, "--type", _SBOM, "--predicate", sbom)
        call(["cosign", "attest", *options, "--key", self.private, platform.reference])

    def sign_file(self, file: Path) -> Path:
        """Sign a file, and return the path of the signature."""
        signature = file.with_name(f"{file.name}.sig")
        options = ("--yes", _NO_LOG, "--output-signature", signature)
        call(["cosign", "sign-blob", *options, "--key", self.private, file])
        return signature

    def verify(self, reference: str) -> None:
        """Raise ReleaseError unless the image, a tag or a digest, has a signature of this key."""
        call(["cosign", "verify", _WITHOUT_LOG, "--key", self.public, reference])

    def verified_sbom(self, platform: Platform) -> dict[str, Any]:
        """Return the SBOM attached to an image; raise ReleaseError unless it has exactly one, signed with this key."""
        options = (_WITHOUT_LOG, "--type", _SBOM, "--key", self.public)
        lines = call(["cosign", "verify-attestation", *options, platform.reference]).strip().splitlines()
        if len(lines) != 1:
            raise ReleaseError(f"{platform.reference} has {len(lines)} bills of materials instead of one")
        statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(lines[0])["payload"]))
        (subject,) = statement["subject"]
        if f"sha256:{subject['digest']['sha256']}" != platform.reference.rpartition("@")[2]:
            raise ReleaseError(f"the SBOM of {platform.reference} is of another image")
        bill: dict[str, Any] = statement["predicate"]
        return bill

    def verify_file(self, file: Path, signature: Path) -> None:
        """Raise ReleaseError unless ``signature`` is this key's signature of the file."""
        call(["cosign", "verify-blob", _WITHOUT_LOG, "--key", self.public, "--signature", signature, file])


def new_keys(folder: Path) -> Keys:
    """Make a pair of keys for a dry run, protected by COSIGN_PASSWORD."""
    call(["cosign", "generate-key-pair", "--output-key-prefix", folder / "cosign"])
    return Keys(folder / "cosign.key", folder / "cosign.pub")
