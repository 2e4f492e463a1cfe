# What every notebook of the workshop begins with: its first cell goes to the checkout's root and
# sources this file, which leads to the lab's cluster and tools.

# A kernel's bash is an interactive one, where "!" means the history. On a page it means itself.
set +H

# by_hand "TASK": true where the notebook does what the learner should do by hand.
by_hand() {
  if [ "${WORKSHOP_BY_HAND:-}" = solution ] || [ -n "${PYTEST_VERSION:-}" ]; then return 0; fi
  echo "Your turn: $1. This cell changes nothing; set WORKSHOP_BY_HAND=solution to let it."
  return 1
}

# here gpu, here local: true if this cluster has GPUs, or is the workshop's local one;
# also no-gpu, gpu-2017 and gpu-today (its GPUs do not have the name of 2017). Of several, all hold.
here() { python -m modules.here "$@"; }

# again SECONDS EXIT_CODE: repeat a command until it ends so and prints what the page shows.
# Standard input has both, as on the page: "$ COMMAND", and below it the output.
again() {
  local end=$((SECONDS + $1)) page command shown code
  page=$(cat) && command=$(python -m modules.again command <<<"$page") && shown=$(mktemp) || return
  while true; do
    (eval "$command") >"$shown" 2>&1 </dev/null
    code=$?
    if [ "$code" -eq "$2" ] && python -m modules.again fits "$shown" <<<"$page"; then
      cat "$shown"; rm "$shown"; return 0
    fi
    if [ "$SECONDS" -ge "$end" ]; then break; fi
    sleep 1
  done
  cat "$shown"; rm "$shown"
  echo "After $1 s this is not yet what the page shows (exit code $code)."
  return 1
}

# end_background: end every command that runs in the background, and what it started.
end_background() {
  local job
  for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || kill "$job" 2>/dev/null; done
  true
}

# What runs in the background writes into files of this folder.
LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT

# The lab's environment. A test names another one.
: "${WORKSHOP_ACTIVATE:=.lab/activate}"
if [ -e "$WORKSHOP_ACTIVATE" ]; then
  source "$WORKSHOP_ACTIVATE"
else
  echo "There is no lab yet ($PWD/$WORKSHOP_ACTIVATE is missing): run \`make lab\` first."
  false
fi
