"""Examples of each command, which its help shows. The first one is in the error about a missing argument, too."""

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "": (
        "edge-bench all --dataset auto    train, measure and report, in minutes",
        "edge-bench run model.tflite      measure your own model",
        "edge-bench COMMAND --help        options and examples of a command",
    ),
    "all": (
        "edge-bench all --dataset auto --limit 500",
        "edge-bench all --dataset digits --budget 5m",
        "edge-bench all --dataset photos/ --model resnet20 --bundle artifacts/photos",
    ),
    "run": (
        "edge-bench run",
        "edge-bench run artifacts/bundle --variant dynamic,int8 --budget 5m",
        "edge-bench run model.tflite --data photos/ --labels labels.txt",
        "edge-bench run a.onnx b.onnx --threads 1,4 --format json",
        "edge-bench run artifacts/bundle --find-fastest",
    ),
    "profile": (
        "edge-bench profile model.tflite",
        "edge-bench profile artifacts/bundle --variant float32,int8 --runtime litert",
        "edge-bench profile model.onnx --threads 1,2 --format json",
    ),
    "compare": (
        "edge-bench compare results",
        "edge-bench compare results pi-results --baseline float32/litert",
        "edge-bench compare new.json --baseline old.json --fail-if-slower 5%",
    ),
    "report": (
        "edge-bench report results",
        "edge-bench report results --bundle artifacts/bundle --output page.html",
        "edge-bench report results --format svg,pdf --output figures",
    ),
    "history": (
        "edge-bench history results",
        "edge-bench history results --figure history.png",
    ),
    "predict": (
        "edge-bench predict model.tflite --device pi4",
        "edge-bench predict artifacts/bundle --device pi5 --threads 1,4",
        "edge-bench predict model.tflite --all-devices --format json",
    ),
    "train": (
        "edge-bench train --dataset digits",
        "edge-bench train --dataset photos/ --model resnet20 --epochs 50",
        "edge-bench train --workers 2",
    ),
    "export": (
        "edge-bench export model.keras --data photos/ --labels labels.csv",
        "edge-bench export mobilenetv2 --data photos/ --calibration photos/",
    ),
    "inspect": (
        "edge-bench inspect model.tflite",
        "edge-bench inspect saved_model/ --format json",
    ),
    "doctor": (
        "edge-bench doctor",
        "edge-bench doctor --strict",
    ),
    "tune": (
        "edge-bench tune --dry-run",
        "edge-bench tune --cpus 1-3",
        "edge-bench tune --restore",
    ),
    "calibrate": (
        "edge-bench calibrate",
        "edge-bench calibrate --name desk --resume",
        "edge-bench calibrate --output desk.toml --once --force",
    ),
    "dashboard": (
        "edge-bench dashboard results",
        "edge-bench dashboard results --host 0.0.0.0 --token-file token.txt",
        "edge-bench dashboard results --silent-after 48",
    ),
    "serve": (
        "edge-bench serve artifacts/bundle",
        "edge-bench serve artifacts/bundle --host 0.0.0.0 --token-file token.txt",
        "edge-bench serve model.onnx --port 9000",
    ),
    "offload": (
        "edge-bench offload --server http://192.168.1.10:8000",
        "edge-bench offload --server http://desk:8000 --link wifi --link lte",
        "edge-bench offload --server http://desk:8000 --edge-device pi4",
    ),
    "fleet": (
        "edge-bench fleet list --engine ssh://user@pi.local    check the connection",
        "edge-bench fleet run artifacts/bundle --engine ssh://user@pi.local",
        "edge-bench fleet COMMAND --help",
    ),
    "fleet run": (
        "edge-bench fleet run artifacts/bundle -e ssh://user@pi.local",
        "edge-bench fleet run artifacts/bundle --fleet fleet.toml --budget 5m",
        "edge-bench fleet run --calibrate --fleet fleet.toml",
    ),
    "fleet train": (
        "edge-bench fleet train artifacts/bundle -e ssh://user@a -e ssh://user@b",
    ),
    "fleet list": ("edge-bench fleet list --engine ssh://user@pi.local",),
    "fleet clean": ("edge-bench fleet clean --engine ssh://user@pi.local --remove-image",),
    "nightly": (
        "edge-bench nightly --dry-run",
        "edge-bench nightly",
        "edge-bench nightly lab/edge-bench.toml --format json",
    ),
    "schedule": (
        "edge-bench schedule install --at 02:30",
        "edge-bench schedule show",
    ),
    "schedule install": (
        "edge-bench schedule install --at 02:30",
        "edge-bench schedule install lab/edge-bench.toml --compose nightly.yaml",
    ),
    "schedule show": ("edge-bench schedule show",),
    "schedule remove": ("edge-bench schedule remove",),
    "fleet collect": ("edge-bench fleet collect artifacts/bundle",),
    "fleet task": ("edge-bench fleet task --collector collector:8080 -- --trials 30",),
}  # fmt: skip
