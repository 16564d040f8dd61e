#!/usr/bin/env bash
# Finds the model before the change: BASE_MODEL, or MODEL in the base commit, which is checked out beside this one.
# The base commit: BASE_REF, otherwise the first parent of the merge of a pull request, otherwise EVENT_BASE.
# Outputs: model, its path; commit, the base commit. BASELINE: stored Runs, for which no model is needed.
set -euo pipefail

fail() {
  echo "::error::$1"
  exit 2
}

output() {
  echo "$1=$2" >>"$GITHUB_OUTPUT"
}

# a file that Git LFS has not replaced by its content
is_pointer() {
  [[ -f "$1" ]] && head -c 40 "$1" | tr -d '\0' | grep -q '^version https://git-lfs'
}

cd "$GITHUB_WORKSPACE"
[[ -e "$MODEL" ]] || fail "model: $MODEL is not in the repository: check it out, or build it, in a step before"
! is_pointer "$MODEL" || fail "model: $MODEL is a Git LFS pointer: set lfs: true for actions/checkout"
if [[ -n "$BASELINE" ]]; then
  # another machine may have the same hostname, by which edge-bench knows it: hosted ones come from one image
  [[ "${RUNNER_ENVIRONMENT:-}" != github-hosted ]] ||
    fail "baseline: every job on a hosted runner may get another machine: omit it, so that both models are measured in this job"
  exit
fi
if [[ -n "$BASE_MODEL" ]]; then
  [[ -e "$BASE_MODEL" ]] || fail "base-model: there is no $BASE_MODEL"
  output model "$(realpath "$BASE_MODEL")"
  exit
fi

# a container's job has another user than the checkout, which git refuses unless the folder is named
settings=${GIT_CONFIG_COUNT:-0}
export "GIT_CONFIG_KEY_$settings=safe.directory" "GIT_CONFIG_VALUE_$settings=$GITHUB_WORKSPACE"
export GIT_CONFIG_COUNT=$((settings + 1))

wanted=${BASE_REF:-$EVENT_BASE}
[[ ! "$wanted" =~ ^0+$ ]] || wanted="" # a push that creates a branch has no commit before it
# GitHub's merge of a pull request: its first parent is the tip of the base branch. A branch that is checked out instead may end
# with a merge, too, whose first parent is the branch's own: GITHUB_SHA tells them apart
if [[ -z "$BASE_REF" && "${GITHUB_REF:-}" == refs/pull/*/merge && $(git rev-parse HEAD) == "${GITHUB_SHA:-}" ]]; then
  parents=$(git cat-file commit HEAD | sed -n '1,/^$/s/^parent //p')
  (($(wc -w <<<"$parents") != 2)) || wanted=$(head -n 1 <<<"$parents")
fi
[[ -n "$wanted" ]] || fail "base-ref: this event has no base commit: set base-ref, base-model or baseline"

commit_of() {
  git rev-parse --quiet --verify "$1^{commit}"
}

if ! commit=$(commit_of "$wanted" || commit_of "refs/remotes/origin/$wanted"); then
  git fetch --quiet --no-tags --depth=1 origin "$wanted" ||
    fail "base-ref: cannot fetch $wanted: let actions/checkout keep its credentials, or set fetch-depth: 0"
  # a branch or tag that is fetched alone gets no name here
  commit=$(commit_of FETCH_HEAD) || fail "base-ref: $wanted is not a commit, a branch or a tag"
fi
folder="$RUNNER_TEMP/edge-bench-base-$commit"
if [[ ! -d "$folder" ]]; then
  git worktree prune
  git worktree add --quiet --detach "$folder" "$commit"
fi
[[ -e "$folder/$MODEL" ]] ||
  fail "base commit ${commit:0:12} has no $MODEL: nothing to compare with. Skip this step for new models, or set base-model"
! is_pointer "$folder/$MODEL" || fail "$MODEL in the base commit is a Git LFS pointer: set lfs: true for actions/checkout"
output model "$folder/$MODEL"
output commit "$commit"
