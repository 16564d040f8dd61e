"""Find the operators that released runtimes support, and write bench/models/known_releases.json (``make releases``).

    python tools/probe_releases.py bench/models/known_releases.json [RUNTIME=VERSION …]

uv installs each release into a separate virtual environment. There it loads models that declare one version of one
operator and use none. An interpreter resolves every operator code of a file when it is created, so a release does not
support the operators that it rejects. Custom operators are resolved when tensors are allocated. A model that uses one
is allocated in a separate process, because kernels may crash on its artificial tensors.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from edge_bench.bench.models.operator_support import FLEX

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

#: Custom operators to test: those that TensorFlow Lite and LiteRT register, old names of built-in ones, and ``FlexAdd``
#: for all TensorFlow operators, which need the Flex delegate. Operators known only to XNNPACK cannot be tested in this
#: way, because it rejects the artificial tensors before the operator is resolved.
CUSTOM = (
    "TFLite_Detection_PostProcess", "AudioSpectrogram", "Mfcc", "NumericVerify", "aeq.hadamard_rotation",
    "RandomStandardNormal", "RandomUniform", "FlexAdd",
)  # fmt: skip
NOTE = (
    "runtimes: highest version of each operator that a release has, as differences from the release before; custom: of "
    "each custom operator that a release was asked for, 0 if it does not have it; made by tools/probe_releases.py"
)

#: Runs in the environment of a release. argv[1] is the module, argv[2] a model with a custom operator. Prints whether
#: the interpreter knows the operator. It knows it if the kernel then fails for another reason.
PROBE_CUSTOM = """
import importlib, sys
interpreter = importlib.import_module(sys.argv[1]).Interpreter(model_path=sys.argv[2])
print("CREATED", flush=True)
try:
    interpreter.allocate_tensors()
except (RuntimeError, ValueError) as cause:
    print("FAILED", "unresolved custom op" in str(cause).lower() or "Select TensorFlow op" in str(cause))
else:
    print("ALLOCATED")
"""

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
    from ai_edge_litert import schema_py_generated as schema

    for name, code in vars(schema.BuiltinOperator).items():
        if name.startswith("_") or name in ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"):
            continue
        (folder / name).mkdir(parents=True)
        for version in range(1, 41):
            content = _model(
                schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=version)
            )
            (folder / name / f"{version}.tflite").write_bytes(content)


def write_custom_models(folder: Path) -> None:
    """Write a model that uses a custom operator, for every name in ``CUSTOM``: ``folder/NAME/VERSION.tflite``."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import flexbuffers

    code = schema.BuiltinOperator.CUSTOM
    options = list(flexbuffers.Dumps({}))
    for name in CUSTOM:
        (folder / name).mkdir(parents=True)
        for version in (1, 2, 3):
            operator = schema.OperatorT(opcodeIndex=0, inputs=[0], outputs=[1], customOptions=options)
            made = schema.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code, customCode=name, version=version)
            (folder / name / f"{version}.tflite").write_bytes(_model(made, operator))


def _model(code: Any, operator: Any = None) -> bytes:
    """Return a model that declares an operator code, and uses it if ``operator`` is given."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    tensors = [schema.TensorT(shape=[1], buffer=0, name=name) for name in ("x", "y")]
    operators = [] if operator is None else [operator]
    graph = schema.SubGraphT(tensors=tensors, inputs=[0], outputs=[1 if operators else 0], operators=operators)
    model = schema.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=[schema.BufferT()])
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def probe_custom(python: str, module: str, models: Path) -> dict[str, int]:
    """Return the highest version of each of the ``CUSTOM`` operators that a release has, 0 if it has none."""
    has = {}
    for name in CUSTOM:
        highest = 0
        for file in sorted((models / name).iterdir()):
            done = subprocess.run(
                [python, "-c", PROBE_CUSTOM, module, file], capture_output=True, text=True, check=False
            )
            if "CREATED" not in done.stdout:
                raise SystemExit(f"{python}: {name}: {done.stderr[-300:]}")
            if "FAILED True" not in done.stdout:  # allocated, failed for another reason, or crashed in the kernel
                highest = int(file.stem)
        has[FLEX if name == "FlexAdd" else name] = highest
    return has


class Supported(NamedTuple):
    """The highest version of each operator that a release supports."""

    operators: dict[str, int]
    custom: dict[str, int]  # version of each tested operator; 0 if it is missing


def probe(distribution: str, module: str, version: str, models: Path, scratch: Path) -> Supported | None:
    """Return the operators that a release supports; None if it cannot be installed or run."""
    for python in ("3.11", "3.12"):
        environment = scratch / f"{distribution}-{version}-{python}"
        uv = [sys.executable, "-m", "uv"]
        created = subprocess.run([*uv, "venv", "-q", "-p", python, str(environment)], capture_output=True, check=False)
        numpy = "numpy<2" if distribution == "tflite-runtime" else "numpy"
        interpreter = str(environment / "bin/python")
        install = [*uv, "pip", "install", "-q", "-p", interpreter, f"{distribution}=={version}", numpy]
        if created.returncode or subprocess.run(install, capture_output=True, check=False).returncode:
            continue
        probed = subprocess.run(
            [interpreter, "-c", PROBE, module, models / "builtin"], capture_output=True, text=True, check=False
        )
        for line in probed.stdout.splitlines():
            if line.startswith("FOUND"):
                versions: dict[str, int] = json.loads(line.removeprefix("FOUND"))
                return Supported(versions, probe_custom(interpreter, module, models / "custom"))
        print(f"{distribution} {version} on Python {python}: {probed.stderr[-300:]}", file=sys.stderr)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("releases", nargs="*", help="RUNTIME=VERSION; by default those of the last time")
    arguments = parser.parse_args()
    releases = [tuple(each.split("=", 1)) for each in arguments.releases] or [
        (runtime, version) for runtime, (_, _, versions) in RUNTIMES.items() for version in versions
    ]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        write_models(scratch / "models" / "builtin")
        write_custom_models(scratch / "models" / "custom")
        known: dict[str, dict[str, dict[str, int]]] = {}
        previous: dict[str, dict[str, int]] = {}
        custom: dict[str, dict[str, dict[str, int]]] = {}
        for runtime, version in releases:
            distribution, module, _ = RUNTIMES[runtime]
            supported = probe(distribution, module, version, scratch / "models", scratch)
            if supported is None:
                print(f"{runtime} {version}: cannot be tested here")
                continue
            operators = supported.operators
            print(f"{runtime} {version}: {len(operators)} operators")
            last = previous.get(runtime, {})
            removed = dict.fromkeys(last.keys() - operators, 0)
            changes = {op: top for op, top in operators.items() if last.get(op) != top} | removed
            known.setdefault(runtime, {})[version] = dict(sorted(changes.items()))
            custom.setdefault(runtime, {})[version] = dict(sorted(supported.custom.items()))
            previous[runtime] = operators
    content = {"note": NOTE, "runtimes": known, "custom": custom}
    arguments.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
