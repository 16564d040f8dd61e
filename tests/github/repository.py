"""A repository with pull requests, and checkouts of them as actions/checkout makes them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.command_line import REPOSITORY
from tests.github.composite import Job

__all__ = ["Repository", "job_of", "program_folder"]

_MAIN = "main"


class Repository:
    """A repository on a server, in ``folder``/origin, whose main branch has the files of a first commit."""

    def __init__(self, folder: Path, files: Path) -> None:
        self.folder, self._work, self._count = folder, folder / "work", 0
        folder.mkdir(parents=True)
        shutil.copytree(files, self._work)
        self._git("init", "--quiet", "--initial-branch", _MAIN)
        self._commit("first")
        self.origin = folder / "origin"
        _git(folder, "clone", "--quiet", "--bare", str(self._work), str(self.origin))
        # as GitHub does: any commit can be fetched by its id
        _git(self.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        self._git("remote", "add", "origin", str(self.origin))

    def change(self, files: Path) -> str:
        """Commit files to the main branch; return the commit."""
        self._git("checkout", "--quiet", _MAIN)
        return self._commit_files(files, _MAIN, "another change")

    def pull_request(self, files: Path) -> int:
        """Open a pull request that adds or replaces files; return its number."""
        self._count += 1
        self._git("checkout", "--quiet", "-b", f"change-{self._count}", _MAIN)
        self._commit_files(files, f"change-{self._count}", f"change {self._count}")
        self._merge(self._count)
        return self._count

    def update(self, number: int) -> str:
        """Merge the main branch into the branch of a pull request, as GitHub's button does; return the commit."""
        self._git("checkout", "--quiet", f"change-{number}")
        self._git("merge", "--quiet", "--no-ff", "--no-edit", _MAIN)
        self._git("push", "--quiet", "origin", f"change-{number}")
        self._merge(number)
        return self.head(number)

    def _merge(self, number: int) -> None:
        """Push the merge of a pull request with the main branch, as GitHub does."""
        self._git("checkout", "--quiet", "--detach", _MAIN)
        self._git("merge", "--quiet", "--no-ff", "--no-edit", f"change-{number}")
        self._git("push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        self._git("checkout", "--quiet", _MAIN)

    def tag(self, name: str, commit: str) -> None:
        """Push an annotated tag of a commit."""
        self._git("tag", "--annotate", "--message", name, name, commit)
        self._git("push", "--quiet", "origin", name)

    def head(self, number: int) -> str:
        """Return the newest commit of a pull request's branch."""
        return self._git("rev-parse", f"change-{number}")

    def merged(self, number: int) -> str:
        """Return the merge of a pull request with the main branch."""
        return _git(self.origin, "rev-parse", f"refs/pull/{number}/merge")

    def checkout(self, commit: str, folder: Path, depth: int = 1) -> Path:
        """Check out a commit and ``depth - 1`` of those before it; return the folder."""
        _git(folder.parent, "init", "--quiet", str(folder))
        _git(folder, "remote", "add", "origin", f"file://{self.origin}")
        _git(folder, "fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", commit)
        _git(folder, "checkout", "--quiet", "--detach", commit)
        return folder

    @property
    def main(self) -> str:
        """The newest commit of the main branch."""
        return self._git("rev-parse", _MAIN)

    def _commit_files(self, files: Path, branch: str, message: str) -> str:
        shutil.copytree(files, self._work, dirs_exist_ok=True)
        self._commit(message)
        self._git("push", "--quiet", "origin", branch)
        return self._git("rev-parse", "HEAD")

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", message)

    def _git(self, *arguments: str) -> str:
        return _git(self._work, *arguments)


def _git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false")
    clean = {name: each for name, each in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True, env=clean
    )
    return done.stdout.strip()


def program_folder(folder: Path) -> Path:
    """Write the program `edge-bench` of this checkout into a folder; return the folder, for the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "edge-bench"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m edge_bench "$@"\n')
    program.chmod(0o755)
    return folder


def job_of(repository: Repository, number: int, folder: Path, api: str, **environment: str) -> Job:
    """Return the job of a pull request, in a new checkout in ``folder``, with this checkout's edge-bench."""
    folder.mkdir(parents=True)
    programs = program_folder(folder / "programs")
    merged = repository.merged(number)
    commits = {"base": {"sha": repository.main}, "head": {"sha": repository.head(number)}}
    return Job(
        workspace=repository.checkout(merged, folder / "checkout"),
        temp=folder / "temp",
        event={"pull_request": {"number": number, **commits}},
        api=api,
        ref=f"refs/pull/{number}/merge",
        sha=merged,
        environment={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **environment},
    )
