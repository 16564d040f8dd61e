"""Asks released runtimes which operators they have: bench/models/known_releases.json anew.

    python tools/probe_releases.py bench/models/known_releases.json [RUNTIME=VERSION …]

Each release is installed into a virtual environment of its own, by uv, and asked with models that name one operator
in one version and use none: an interpreter resolves every operator code of a file when it is made, so what it refuses
it does not have.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

#: Runtime → distribution, importable module, releases that are asked unless others are named. LiteRT 1.0 to 1.2 cannot
#: be: their libraries want an executable stack, which glibc 2.41 refuses, or raise SystemError.
RUNTIMES = {
    "tflite-runtime": (
        "tflite-runtime",
        "tflite_runtime.interpreter",
        ["2.14.0"],
    ),
    "litert": (
        "ai-edge-litert",
        "ai_edge_litert.interpreter",
        ["1.3.0", "1.4.0", "2.0.3", "2.1.0", "2.1.6", "2.2.0", "2.3.0"],
    ),
}

#: Runs in the release's own environment: argv[1] is the module, argv[2] the folder of models; prints a JSON object.
ASK = """
import importlib, json, os, pathlib, sys
Interpreter = importlib.import_module(sys.argv[1]).Interpreter
has = {}
for folder in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    for version in range(1, 41):
        try:
            Interpreter(model_path=str(folder / f"{version}.tflite"))
        except (ValueError, SystemError) as cause:
            said = f"{cause} {cause.__cause__}"
            if "find op" in said or "out of range" in said:
                if version > has.get(folder.name, 0) + 3:
                    break
                continue
            raise
        has[folder.name] = version
print("FOUND" + json.dumps(has))
"""


def write_models(folder: Path) -> None:
    """One file for every operator of the schema and every version up to 40."""
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


def ask(distribution: str, module: str, version: str, models: Path, scratch: Path) -> dict[str, int] | None:
    """What a release has; None where it cannot be installed or asked here."""
    for python in ("3.11", "3.12"):
        environment = scratch / f"{distribution}-{version}-{python}"
        uv = [sys.executable, "-m", "uv"]
        made = subprocess.run([*uv, "venv", "-q", "-p", python, str(environment)], capture_output=True, check=False)
        numpy = "numpy<2" if distribution == "tflite-runtime" else "numpy"
        interpreter = str(environment / "bin/python")
        install = [*uv, "pip", "install", "-q", "-p", interpreter, f"{distribution}=={version}", numpy]
        if made.returncode or subprocess.run(install, capture_output=True, check=False).returncode:
            continue
        asked = subprocess.run([interpreter, "-c", ASK, module, models], capture_output=True, text=True, check=False)
        for line in asked.stdout.splitlines():
            if line.startswith("FOUND"):
                found: dict[str, int] = json.loads(line.removeprefix("FOUND"))
                return found
        print(f"{distribution} {version} on Python {python}: {asked.stderr[-300:]}", file=sys.stderr)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("releases", nargs="*", help="RUNTIME=VERSION; without any, those of the last time")
    arguments = parser.parse_args()
    wanted = [tuple(each.split("=", 1)) for each in arguments.releases] or [
        (runtime, version) for runtime, (_, _, versions) in RUNTIMES.items() for version in versions
    ]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        write_models(scratch / "models")
        known: dict[str, dict[str, dict[str, int]]] = {}
        before: dict[str, dict[str, int]] = {}
        for runtime, version in wanted:
            distribution, module, _ = RUNTIMES[runtime]
            has = ask(distribution, module, version, scratch / "models", scratch)
            print(f"{runtime} {version}: {'cannot be asked here' if has is None else f'{len(has)} operators'}")
            if has is None:
                continue
            last = before.get(runtime, {})
            changes = {op: top for op, top in has.items() if last.get(op) != top} | dict.fromkeys(last.keys() - has, 0)
            known.setdefault(runtime, {})[version] = dict(sorted(changes.items()))
            before[runtime] = has
    note = "highest version of each operator that a release has, as differences from the release before; made by tools/"
    arguments.output.write_text(json.dumps({"note": note, "runtimes": known}, indent=1) + "\n")


if __name__ == "__main__":
    main()
