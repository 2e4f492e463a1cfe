#!/bin/sh
# Puts the interpreter, what it is linked with, and compiled sources into the image's root ($1).
set -eu
root=$1

mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/tmp" "$root/etc"
chmod 1777 "$root/tmp"
echo "operator:x:65532:65532::/:/none" > "$root/etc/passwd"
cp /usr/bin/python3.11 "$root/usr/bin/"
ln -s python3.11 "$root/usr/bin/python3"
cp -r /usr/lib/python3.11 "$root/usr/lib/"
cd "$root/usr/lib/python3.11"
rm -rf dist-packages test idlelib lib2to3 ensurepip pydoc_data tkinter turtledemo distutils \
  config-3.11-* unittest venv EXTERNALLY-MANAGED
# Of the official client only the way to find and to trust the cluster is used; its calls and
# models, imported on demand and never demanded, would be half of the image.
cd "$root/app"
rm -rf bin kubernetes/client/api kubernetes/aio/client/api
find kubernetes -path '*client/models/*' ! -name __init__.py -type f -delete
find "$root" -name '*.so*' -type f -exec strip --strip-unneeded {} + 2>/dev/null || true
find "$root" -name __pycache__ -type d -prune -exec rm -rf {} +
/usr/bin/python3.11 -m compileall -q -j 0 "$root/app" "$root/usr/lib/python3.11"
# Shared libraries of the interpreter and of every extension module, and the loader itself.
find "$root" -type f \( -name '*.so*' -o -name python3.11 \) -exec ldd {} + 2>/dev/null \
  | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/lib[^ ]*ld-[^ ]*\).*/\1/p' \
  | sort -u > /tmp/libraries
while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done < /tmp/libraries
# What scanners read: which packages these files are from.
mkdir -p "$root/var/lib/dpkg/status.d"
cp /etc/os-release "$root/etc/os-release"
{
  echo python3.11-minimal
  echo libpython3.11-minimal
  echo libpython3.11-stdlib
  while read -r library; do
    dpkg -S "*/$(basename "$library")" 2>/dev/null | head -1 | cut -d: -f1
  done < /tmp/libraries
} | sort -u | while read -r package; do
  dpkg-query --status "$package" > "$root/var/lib/dpkg/status.d/$package" || true
done
