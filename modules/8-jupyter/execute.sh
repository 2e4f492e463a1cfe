#!/bin/sh
# Runs a notebook in the server of exercise 1, without a browser.
#
#   sh modules/8-jupyter/execute.sh my-train.ipynb [flags of kubectl]
#
# The notebook goes to the server's home as train.ipynb; it has its outputs when this has ended.
set -eu
notebook=$1
shift
kubectl exec "$@" --stdin deployment/module8-ex1 -- sh -c 'cat > train.ipynb' < "$notebook"
exec kubectl exec "$@" deployment/module8-ex1 -- jupyter execute --inplace train.ipynb
