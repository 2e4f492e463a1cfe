#!/bin/sh
# Takes from a virtual environment with TensorFlow what running a program never touches.
# The Dockerfile's build stage calls it; what remains trains, saves, loads and serves TensorBoard.
set -eu
cd "$1"/lib/python3*/site-packages

rm -rf tensorflow/include                            # C++ headers
rm -rf clang libclang-*.dist-info                    # reads C++ when TensorFlow itself is built
rm -rf tensorflow/compiler/mlir/stablehlo tensorflow/compiler/tf2xla/ops/_xla_ops.so  # exporters
rm -rf tensorboard_data_server                       # a faster reader; TensorBoard has its own
rm -rf wheel wheel-*.dist-info setuptools setuptools-*.dist-info _distutils_hack  # install others
rm -rf distutils-precedence.pth pygments pygments-*.dist-info  # colours source code
rm -f PIL/_avif*.so pillow.libs/libavif-*            # TensorBoard's images are PNG
# Converts for phones, and asks other processes for profiles (`tf.profiler` of this one stays). Both
# are imported by `import tensorflow`, so the lines that do so go too, or find an empty module.
rm -rf tensorflow/lite tensorflow/compiler/mlir/lite
find tensorflow/_api -type d -name lite -prune -exec rm -rf {} +
grep -rlE --include='*.py' 'import lite$' tensorflow | xargs sed -i '/import lite$/d'
rm tensorflow/python/profiler/internal/_pywrap_profiler_plugin.so
touch tensorflow/python/profiler/internal/_pywrap_profiler_plugin.py
find . -type d \( -name tests -o -name testdata \) -prune -exec rm -rf {} +
find . -type f \( -name '*.a' -o -name '*.pyi' -o -name '*.h' \) -delete
# Not those that a wheel brought along in a folder NAME.libs: their tables were moved when the wheel
# was made, and strip would leave them so that they cannot be loaded.
find . -type f -name '*.so*' -not -path '*.libs/*' -exec strip --strip-unneeded {} +
