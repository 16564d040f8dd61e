#!/usr/bin/env bash
# Installs edge-bench in an environment of its own, and adds edge-bench alone to the PATH of later steps.
# ACTION_PATH: folder of the action. INSTALL: a requirement for pip, none, or empty for this version.
set -euo pipefail

if [[ "$INSTALL" == none ]]; then
  command -v edge-bench >/dev/null || { echo "::error::install is none, but there is no edge-bench on the PATH: install it in a step before"; exit 2; }
  edge-bench --version
  exit
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "::error::edge-bench needs Python 3.11 or newer, but python3 is older: choose one in a step before"
  exit 2
fi
environment="$RUNNER_TEMP/edge-bench-environment"
python3 -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check "${INSTALL:-"${ACTION_PATH}[edge]"}"
# not the environment's folder: its python3 and pip would replace those of later steps
programs="$RUNNER_TEMP/edge-bench-programs"
mkdir -p "$programs"
ln -sf "$environment/bin/edge-bench" "$programs/edge-bench"
echo "$programs" >>"$GITHUB_PATH"
"$environment/bin/edge-bench" --version
