"""Find out which operators released runtimes support, and write bench/models/known_releases.json (``make releases``).

    python tools/probe_releases.py bench/models/known_releases.json [RUNTIME=VERSION …]

uv installs each release into a separate virtual environment. There it loads models that declare one version of one
operator and use none. An interpreter resolves every operator code of a file when it is created, so a release does not
support the operators that it rejects.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

#: Runtime → distribution, module, default releases. LiteRT 1.0 to 1.2 cannot be probed: their libraries need an
#: executable stack, which glibc 2.41 refuses, or raise SystemError.
RUNTIMES = {
    "tflite-runtime": ("tflite-runtime", "tflite_runtime.interpreter", ["2.14.0"]),
    "litert": (
        "ai-edge-litert",
        "ai_edge_litert.interpreter",
        ["1.3.0", "1.4.0", "2.0.3", "2.1.0", "2.1.6", "2.2.0", "2.3.0"],
    ),
}

#: Runs in the environment of a release. argv[1] is the module, argv[2] the folder of models. Prints a JSON object: the
#: highest supported version of each operator.
PROBE = """
import importlib, json, os, pathlib, sys
Interpreter = importlib.import_module(sys.argv[1]).Interpreter
has = {}
for folder in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    for version in range(1, 41):
        try:
            Interpreter(model_path=str(folder / f"{version}.tflite"))
        except (ValueError, SystemError) as cause:
            message = f"{cause} {cause.__cause__}"
            if "find op" in message or "out of range" in message:
                if version > has.get(folder.name, 0) + 3:
                    break
                continue
            raise
        has[folder.name] = version
print("FOUND" + json.dumps(has))
"""


def write_models(folder: Path) -> None:
    """Write a model for every operator of the schema and every version up to 40: ``folder/OPERATOR/VERSION.tflite``."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    for name, code in vars(schema.BuiltinOperator).items():
        if name.startswith("_") or name in ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"):
            continue
        (folder / name).mkdir(parents=True)
        for version in range(1, 41):
            operator = schema.OperatorCodeT()
            operator.builtinCode, operator.version = code, version
            operator.deprecatedBuiltinCode = min(code, 127)
            buffer, tensor, graph = schema.BufferT(), schema.TensorT(), schema.SubGraphT()
            tensor.shape, tensor.buffer, tensor.name = [1], 0, "x"
            graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
            model = schema.ModelT()
            model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [operator], [graph], [buffer]
            builder = flatbuffers.Builder(256)
            builder.Finish(model.Pack(builder), b"TFL3")
            (folder / name / f"{version}.tflite").write_bytes(bytes(builder.Output()))


def probe(distribution: str, module: str, version: str, models: Path, scratch: Path) -> dict[str, int] | None:
    """Return the highest version of each operator that a release supports; None if it cannot be installed or run."""
    for python in ("3.11", "3.12"):
        environment = scratch / f"{distribution}-{version}-{python}"
        uv = [sys.executable, "-m", "uv"]
        created = subprocess.run([*uv, "venv", "-q", "-p", python, str(environment)], capture_output=True, check=False)
        numpy = "numpy<2" if distribution == "tflite-runtime" else "numpy"
        interpreter = str(environment / "bin/python")
        install = [*uv, "pip", "install", "-q", "-p", interpreter, f"{distribution}=={version}", numpy]
        if created.returncode or subprocess.run(install, capture_output=True, check=False).returncode:
            continue
        probed = subprocess.run([interpreter, "-c", PROBE, module, models], capture_output=True, text=True, check=False)
        for line in probed.stdout.splitlines():
            if line.startswith("FOUND"):
                versions: dict[str, int] = json.loads(line.removeprefix("FOUND"))
                return versions
        print(f"{distribution} {version} on Python {python}: {probed.stderr[-300:]}", file=sys.stderr)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("releases", nargs="*", help="RUNTIME=VERSION; without any, those of the last time")
    arguments = parser.parse_args()
    releases = [tuple(each.split("=", 1)) for each in arguments.releases] or [
        (runtime, version) for runtime, (_, _, versions) in RUNTIMES.items() for version in versions
    ]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        write_models(scratch / "models")
        known: dict[str, dict[str, dict[str, int]]] = {}
        previous: dict[str, dict[str, int]] = {}
        for runtime, version in releases:
            distribution, module, _ = RUNTIMES[runtime]
            supported = probe(distribution, module, version, scratch / "models", scratch)
            if supported is None:
                print(f"{runtime} {version}: cannot be asked here")
                continue
            print(f"{runtime} {version}: {len(supported)} operators")
            last = previous.get(runtime, {})
            removed = dict.fromkeys(last.keys() - supported, 0)
            changes = {op: top for op, top in supported.items() if last.get(op) != top} | removed
            known.setdefault(runtime, {})[version] = dict(sorted(changes.items()))
            previous[runtime] = supported
    note = "highest version of each operator that a release has, as differences from the release before; made by tools/"
    arguments.output.write_text(json.dumps({"note": note, "runtimes": known}, indent=1) + "\n")


if __name__ == "__main__":
    main()
