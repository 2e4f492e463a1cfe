#!/bin/sh
# Runs the solution's notebook of 8.2 with an edit, as a learner's own.
#
#   sh tests/validator/mistakes/notebooks/edited.sh SED-SCRIPT [flags of kubectl]
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
sed --file="$1" modules/8-jupyter/solution/train.ipynb > "$folder/my-train.ipynb"
shift
sh modules/8-jupyter/execute.sh "$folder/my-train.ipynb" "$@"
