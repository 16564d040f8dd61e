"""A runner for composite actions: executes the steps of an action.yml as GitHub does, on this machine.

It knows the parts that composite actions of shell steps use: inputs with defaults, expressions that choose the first
value that is not empty, environments, outputs, the PATH, and the summary.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Job", "Outcome", "run_action"]

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
#: How GitHub starts ``shell: bash``.
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


@dataclass(frozen=True)
class Job:
    """The job that uses the action."""

    workspace: Path  # the checkout
    temp: Path
    event: Mapping[str, Any]
    api: str = "http://127.0.0.1:9"  # nothing listens there
    ref: str = "refs/pull/1/merge"
    sha: str = ""  # the commit of the event, which actions/checkout checks out by default
    repository: str = "someone/models"
    token: str = "token"
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How the action ended."""

    code: int  # of the first step that failed; 0 if none did
    outputs: dict[str, str]
    summary: str  # Markdown
    log: str
    failed_step: str = ""


def run_action(action: Path, job: Job, **inputs: str) -> Outcome:
    """Execute the steps of an action; ``inputs`` have underscores in place of hyphens."""
    described = yaml.safe_load(action.read_text())
    job.temp.mkdir(parents=True, exist_ok=True)
    (job.temp / "event.json").write_text(json.dumps(job.event))
    context: dict[str, Any] = {
        "github": {"event": job.event, "sha": job.sha, "token": job.token, "action_path": str(action.parent)},
        "runner": {"temp": str(job.temp)},
        "steps": {},
    }
    context["inputs"] = _inputs(
        described["inputs"], {name.replace("_", "-"): each for name, each in inputs.items()}, context
    )
    runner = _Runner(job, context)
    for step in described["runs"]["steps"]:
        runner.run(step)
        if runner.code:
            break
    outputs = {name: _expanded(each["value"], context) for name, each in described["outputs"].items()}
    return Outcome(runner.code, outputs, runner.summary, "".join(runner.log), runner.failed_step)


def _inputs(declared: Mapping[str, Any], given: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, str]:
    unknown = given.keys() - declared.keys()
    assert not unknown, f"the action has no input {unknown}"
    for name, each in declared.items():
        assert name in given or not each.get("required"), f"{name} is required"
    return {name: given.get(name, _expanded(str(each.get("default", "")), context)) for name, each in declared.items()}


def _expanded(text: str, context: Mapping[str, Any]) -> str:
    return _EXPRESSION.sub(lambda found: _value(found[1], context), text)


def _value(expression: str, context: Mapping[str, Any]) -> str:
    """Return the first value that is not empty; a name that does not exist is empty."""
    for choice in expression.split("||"):
        value: Any = context
        for name in choice.strip().split("."):
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        if value:
            return str(value)
    return ""


class _Runner:
    def __init__(self, job: Job, context: dict[str, Any]) -> None:
        self._job, self._context, self._path = job, context, os.environ["PATH"]
        self.code, self.failed_step, self.log = 0, "", list[str]()
        self._files = {name: job.temp / name.lower() for name in ("OUTPUT", "PATH", "ENV", "STEP_SUMMARY")}

    @property
    def summary(self) -> str:
        file = self._files["STEP_SUMMARY"]
        return file.read_text() if file.exists() else ""

    def run(self, step: Mapping[str, Any]) -> None:
        assert step["shell"] == "bash", "other shells are not supported"
        assert not step.keys() - {"name", "id", "shell", "env", "run"}, "an unknown key of a step"
        for name in ("OUTPUT", "PATH", "ENV"):
            self._files[name].write_text("")
        script = self._job.temp / "script.sh"
        script.write_text(_expanded(step["run"], self._context))
        done = subprocess.run(
            [*_BASH, script], cwd=self._job.workspace, env=self._environment(step), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
        )  # fmt: skip
        self.log.append(f"## {step['name']}\n{done.stdout}")
        if done.returncode:
            self.code, self.failed_step = done.returncode, step["name"]
        lines = self._files["OUTPUT"].read_text().splitlines()
        self._context["steps"][step.get("id", step["name"])] = {"outputs": dict(each.split("=", 1) for each in lines)}
        self._path = os.pathsep.join([*reversed(self._files["PATH"].read_text().splitlines()), self._path])

    def _environment(self, step: Mapping[str, Any]) -> dict[str, str]:
        job = self._job
        return {
            "PATH": self._path,
            "HOME": str(job.temp),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": job.api,
            "GITHUB_REPOSITORY": job.repository,
            "GITHUB_REF": job.ref,
            "GITHUB_SHA": job.sha,
            "GITHUB_WORKSPACE": str(job.workspace),
            "GITHUB_EVENT_PATH": str(job.temp / "event.json"),
            "RUNNER_TEMP": str(job.temp),
            **{f"GITHUB_{name}": str(path) for name, path in self._files.items()},
            **job.environment,
            **{name: _expanded(str(each), self._context) for name, each in step.get("env", {}).items()},
        }
