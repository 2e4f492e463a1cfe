#!/bin/sh
# Takes from a virtual environment with TensorFlow what running a program never touches, then
# compiles what is left, so that a container with a read-only root starts without compiling.
# The Dockerfile's build stage calls it; what remains trains, saves, loads and serves TensorBoard.
set -eu
packages=$(echo "$1"/lib/python3*/site-packages)
cd "$packages"

rm -rf tensorflow/include tensorflow/lite            # C++ headers; the mobile runtime
rm -rf clang libclang-*.dist-info                    # reads C++ when TensorFlow itself is built
rm -rf numpy/*/tests numpy/tests numpy/*/include h5py/tests
find . -name '*.a' -delete -o -name '*.pyi' -delete
find . -name '*.so*' -type f -exec strip --strip-unneeded {} + 2>/dev/null || true
"$1"/bin/python -m compileall -q -j 0 . || true
