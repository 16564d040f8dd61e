"""The bill of materials of an image: its Python distributions (cyclonedx-bom) and Debian packages, as CycloneDX 1.6."""

import json
import sys
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.release.errors import ReleaseError, call
from tools.release.images import FILES_FOR_SBOM

__all__ = ["debian_packages", "image_sbom"]

_SPECIFICATION = "1.6"


def debian_packages(status: str) -> Iterator[dict[str, Any]]:
    """Yield a component for each installed package in the text of /var/lib/dpkg/status."""
    for paragraph in status.strip().split("\n\n"):
        fields = Parser().parsestr(paragraph, headersonly=True)
        if "installed" not in fields.get("Status", "").split():
            continue
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}&distro=debian-12"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def image_sbom(root: Path, name: str, version: str, platform: str) -> str:
    """Return the SBOM, as JSON, of an image whose files are below ``root``. Raise ReleaseError if it is invalid."""
    site, status = (root / each for each in FILES_FOR_SBOM)
    # cyclonedx-py asks an interpreter for its path. That of the image may be of another processor
    interpreter = root / "interpreter"
    interpreter.write_text(f"#!/bin/sh\nprintf '%s' '{json.dumps([str(site)])}'\n")
    interpreter.chmod(0o755)
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--validate"]
    made = call([*command, "--spec-version", _SPECIFICATION, "--output-format", "JSON", interpreter])
    bill: dict[str, Any] = json.loads(made)
    bill["metadata"]["component"] = {
        "type": "container",
        "bom-ref": "image",
        "name": f"edge-bench:{name}",
        "version": version,
        "properties": [{"name": "edge-bench:platform", "value": platform}],
    }
    bill["components"] += debian_packages(status.read_text())
    text = json.dumps(bill, indent=2) + "\n"
    _require_valid(text, f"edge-bench:{name} {platform}")
    return text


def _require_valid(text: str, what: str) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    if problem := JsonStrictValidator(SchemaVersion.from_version(_SPECIFICATION)).validate_str(text):
        raise ReleaseError(f"the SBOM of {what} is not valid CycloneDX {_SPECIFICATION}: {problem}")
