#!/bin/sh
# Takes from a virtual environment with Jupyter what running a server never touches.
# The Dockerfile's build stage calls it; smoke.py proves that enough remains.
set -eu
cd "$1"/lib/python3*/site-packages

find . -type d -name tests -prune -exec rm -rf {} +
find . -type f \( -name '*.a' -o -name '*.pyi' -o -name '*.h' \) -delete
find "$1" -type f -name '*.js.map' -delete     # for who debugs JupyterLab itself
# Not those of a folder NAME.libs: strip would leave them so that they cannot be loaded.
find . -type f -name '*.so*' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
