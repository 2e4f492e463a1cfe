#!/bin/sh
# Starts or stops a user's server by the hub's API, as the hub's own page does.
#
#   sh modules/8-jupyter/hub.sh start learner1 gpu [flags of kubectl]
#   sh modules/8-jupyter/hub.sh stop learner1 [flags of kubectl]
#
# It asks from inside the hub's Pod, which has the token of the API.
set -eu
verb=$1 user=$2 profile=
shift 2
if [ "$verb" = start ]; then
  profile=$1
  shift
fi
exec kubectl exec "$@" --stdin deployment/module8-ex3 --container=hub -- \
  python - "$verb" "$user" $profile < "$(dirname "$0")/hub_client.py"
