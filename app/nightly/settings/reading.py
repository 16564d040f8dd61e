"""Read and check edge-bench.toml before anything is measured."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_bench.app.fleet.docker.inventory import NAME, EngineSetting, checked_engines, read_fleet_file
from edge_bench.app.fleet.docker.own_toml import read_own_toml
from edge_bench.app.nightly.settings.keys import with_keys
from edge_bench.app.nightly.settings.records import GateTable, ModelTable, NightlyFile, NotifyTable
from edge_bench.app.nightly.settings.run_options import RunOptions, run_options
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.addresses import address_from
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.models.model_files import is_bundle

__all__ = ["THIS_MACHINE", "Model", "NightlySettings", "folder_name", "read_settings"]

#: Name of the engine that is this machine, without Docker.
THIS_MACHINE = "this machine"
_EXAMPLE = 'for example: [[model]] bundle = "artifacts/bundle"; see docs/nightly.md'
_EXAMPLES = {
    "gate.slower": 'for example slower = "2%"',
    "gate.less_accurate": "for example less_accurate = 0.5, in percentage points",
    "run.threads": "for example threads = [1, 2, 4]",
    "run.batch_size": "for example batch_size = [1, 8]",
    "run.variant": 'for example variant = ["int8", "float32"]',
    "run.runtime": 'for example runtime = ["litert", "onnxruntime"]',
    "keep": 'for example keep = "365d" or "forever"',
}
_NO_FILE = "write edge-bench.toml as docs/nightly.md shows, or name such a file or its folder"
_DAYS = re.compile(r"([0-9]{1,5})\s*d(?:ays?)?")
_LOCAL_ADDRESSES = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Model:
    """A model with its paths resolved."""

    name: str
    bundle: Path | None
    files: Sequence[Path]
    data_options: Sequence[str]  # of `run`

    @property
    def paths(self) -> list[Path]:
        """The arguments of `run`."""
        return [self.bundle] if self.bundle else list(self.files)


@dataclass(frozen=True)
class NightlySettings:
    """The checked content of edge-bench.toml."""

    path: Path
    sha256: str  # of the settings file, and of the fleet file that it names
    results: Path
    keep_days: int | None
    keep_archive_days: int | None
    models: Sequence[Model]
    this_machine: bool
    engines: Sequence[EngineSetting]
    image: str
    local_engine: str
    api_timeout: float
    reconnect_timeout: float
    options: RunOptions
    slower: float  # as a fraction of the time
    gate: GateTable
    notify: NotifyTable

    def engine_names(self, model: Model) -> list[str]:
        """Return the engines that measure a model, in the order of the night."""
        own = [THIS_MACHINE] if self.this_machine else []
        return own + ([engine.name for engine in self.engines] if model.bundle else [])


def read_settings(path: Path, *, for_owner: bool = False) -> NightlySettings:
    """Return the settings in a file. Raise BadInput, which names the line or the key, if one is invalid.

    With ``for_owner``, root reads the file for its owner, who will use it.
    """
    if path.is_dir():
        path /= "edge-bench.toml"
    owner = _owner(path) if for_owner and not os.geteuid() else None
    file = read_own_toml(path, NightlyFile, "a file for `edge-bench nightly`", _NO_FILE, _EXAMPLE, _EXAMPLES, owner)
    folder = path.absolute().parent

    def invalid(problem: str, remedy: str = _EXAMPLE) -> BadInput:
        return BadInput(f"{path}: {problem}", remedy)

    try:
        models = _models(file.model, folder)
        engines = _engines(file, folder, owner)
        this_machine = _this_machine(file, engines, models)
        options = run_options(file.run)
        slower = _share(file.gate.slower)
        keep, keep_archives = _days(file.keep, "keep"), _days(file.keep_archives, "keep_archives")
        _check_notify(file.notify)
        notify, results, image = (
            _with_paths(file.notify, folder),
            _inside(folder, file.results),
            _image(folder, file.fleet.image),
        )
    except BadInput as cause:
        raise with_keys(cause if str(path) in cause.problem else invalid(cause.problem, cause.remedy)) from None
    except (OSError, ValueError, RuntimeError) as cause:  # a path that is too long, or of an unknown user
        raise invalid(f"a path cannot be used: {why_unreadable(cause)}", "check the paths") from None
    return NightlySettings(
        path=path.absolute(), sha256=_checksum(path, file, folder),
        results=results, keep_days=keep, keep_archive_days=keep_archives,
        models=models, this_machine=this_machine, engines=engines,
        image=image, local_engine=file.fleet.local_engine,
        api_timeout=file.fleet.api_timeout, reconnect_timeout=file.fleet.reconnect_timeout,
        options=options, slower=slower, gate=file.gate, notify=notify,
    )  # fmt: skip


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except (OSError, ValueError):
        return None  # reading it gives the error


def _checksum(path: Path, file: NightlyFile, folder: Path) -> str:
    """Return the checksum of the file, and of the fleet file that it names."""
    digest = hashlib.sha256(path.read_bytes())
    if file.fleet.file:
        digest.update(_inside(folder, file.fleet.file).read_bytes())
    return digest.hexdigest()


def _this_machine(file: NightlyFile, engines: Sequence[EngineSetting], models: Sequence[Model]) -> bool:
    """Return whether this machine measures, too. Raise BadInput if no machine could measure a model."""
    stated = file.fleet.this_machine
    if stated or (stated is None and not engines):
        return True
    if not engines:
        raise BadInput(
            "nothing would be measured: there is no engine, and this_machine is false",
            "add [[fleet.engine]], or this_machine = true in [fleet]",
        )
    if local := [model.name for model in models if not model.bundle]:
        raise BadInput(
            f"model {local[0]!r}: model files are measured on this machine only",
            "add this_machine = true to [fleet], or make a bundle of them with `edge-bench export`",
        )
    return False


def _inside(folder: Path, name: str) -> Path:
    return folder / Path(name).expanduser()


def _image(folder: Path, name: str) -> str:
    """Return the path of a saved image, or the name of an image."""
    path = _inside(folder, name)
    return str(path) if path.is_file() else name


def _models(tables: Sequence[ModelTable], folder: Path) -> list[Model]:
    if not tables:
        raise BadInput("no model is given", _EXAMPLE)
    models = [_model(table, number, folder) for number, table in enumerate(tables, 1)]
    if repeated := [name for name, count in Counter(each.name for each in models).items() if count > 1]:
        raise BadInput(f"two models are called {repeated[0]!r}", 'give each its own name = "…"')
    return models


def _model(table: ModelTable, number: int, folder: Path) -> Model:
    if bool(table.bundle) == bool(table.files):
        raise BadInput(f"model {number} needs either a bundle or files", _EXAMPLE)
    stated = {name: getattr(table, name) for name in ("data", "labels", "task", "classes")}
    if table.bundle and (wrong := next((name for name in (*stated, "options") if getattr(table, name)), "")):
        raise BadInput(f"model {number}: {wrong} is for files; a bundle has its own data", f"remove {wrong}")
    paths = [_inside(folder, name) for name in table.files or [table.bundle]]
    name = table.name or paths[0].name
    if not name.isprintable() or not 0 < len(name) <= 60:
        raise BadInput(f"model {number}: its name has a control character, or more than 60 characters", "change name")
    for path in paths:
        if not path.exists():
            raise BadInput(f"model {name!r}: {path}: no such file or folder", "check the path")
    if table.bundle and not is_bundle(paths[0]):
        raise BadInput(f"model {name!r}: {paths[0]} is not a bundle", 'use files = ["…"] for model files')
    options = list(table.options)
    for key, value in stated.items():
        text = str(_inside(folder, value)) if key != "task" and value else value
        options += [f"--{key}", text] if value else []
    return Model(name, paths[0] if table.bundle else None, paths if table.files else [], options)


def _engines(file: NightlyFile, folder: Path, owner: int | None) -> list[EngineSetting]:
    engines = []
    if file.fleet.file:
        engines = read_fleet_file(fleet_file := _inside(folder, file.fleet.file), owner)
        if not engines:
            raise BadInput(f"{fleet_file}: it has no engine", "add [[engine]] to it, or remove file from [fleet]")
    own = [
        msgspec.structs.replace(
            engine,
            tls=str(_inside(folder, engine.tls)) if engine.tls else "",
            ssh_config=str(_inside(folder, engine.ssh_config)) if engine.ssh_config else "",
        )
        for engine in file.fleet.engine
    ]
    return checked_engines([*engines, *own], owner)


def _share(text: str) -> float:
    """Return a percentage as a fraction. A number without % is refused: 0.02 could be 2 % or 0.02 %."""
    number, sign, rest = text.strip().partition("%")
    try:
        share = float(number) / 100 if sign and not rest else -1.0
    except ValueError:
        share = -1.0
    if not 0 <= share < 10:
        raise BadInput(f"gate.slower {text[:40]!r} is not a percentage", 'for example slower = "5%"')
    return share


def _days(text: str, key: str) -> int | None:
    if text.strip() == "forever":
        return None
    found = _DAYS.fullmatch(text.strip())
    if found is None or int(found[1]) < 1:
        raise BadInput(f"{key} {text[:40]!r} is not a number of days", f'for example {key} = "365d" or "forever"')
    return int(found[1])


def _check_notify(table: NotifyTable) -> None:
    if table.webhook:
        try:
            address = address_from(table.webhook)
        except ValueError as cause:
            raise BadInput(f"notify.webhook has {cause}", "use https://host/path") from None
        if address.scheme not in ("https", "http") or not address.host:
            raise BadInput("notify.webhook is not an https:// address", "use https://host/path")
        if address.scheme == "http" and address.host not in _LOCAL_ADDRESSES:
            raise BadInput(
                "notify.webhook without TLS can be read and changed on the way", "use https://, or a local address"
            )
    texts = [*table.mail_to, table.mail_from]
    if any(not text.isprintable() or "@" not in text for text in texts if text):
        raise BadInput("notify.mail_to or mail_from is not an address", 'for example mail_to = ["me@example.org"]')
    if any(not text for text in table.mail_to) or (table.command and not table.command[0]):
        raise BadInput("an entry of [notify] is empty", "remove it")


def _with_paths(table: NotifyTable, folder: Path) -> NotifyTable:
    """Return the table with paths that start at the folder of the file."""
    command = list(table.command)
    if command and "/" in command[0]:
        command[0] = str(_inside(folder, command[0]))
    token = str(_inside(folder, table.webhook_token_file)) if table.webhook_token_file else ""
    return msgspec.structs.replace(table, command=command, webhook_token_file=token)


def folder_name(name: str) -> str:
    """Return a name that is valid as a folder's: other characters are replaced, and a checksum keeps names apart."""
    if NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)[:40].strip('-.') or 'model'}-{digest}"
