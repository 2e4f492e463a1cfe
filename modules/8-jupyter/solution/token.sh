#!/bin/sh
# Makes the Secret of exercise 1, with a token that nobody can guess, unless it is there.
#
#   sh modules/8-jupyter/solution/token.sh [flags of kubectl]
set -eu
if ! kubectl get secret module8-ex1 --output=name "$@" 2> /dev/null; then
    token=$(python -c "import secrets; print(secrets.token_hex(16))")
    kubectl create secret generic module8-ex1 --from-literal=token="$token" "$@"
fi
