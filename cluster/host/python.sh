#!/bin/sh
# Says how to get a Python that fits, on the distribution of the given os-release file.
# make calls it where it finds none, so it may need nothing but a shell.
release=${1:-/etc/os-release}
ID='' ID_LIKE='' VERSION_ID=''
[ -r "$release" ] && . "$release"
case " $ID $ID_LIKE $VERSION_ID" in
  *" ubuntu "*22.04) how="sudo apt install python3.11 python3.11-venv" ;;
  *" ubuntu "*20.04|*" debian "*11) how="update the distribution: it has none" ;;
  *debian*|*ubuntu*) how="sudo apt install python3 python3-venv" ;;
  *rhel*|*centos*|*rocky*|*fedora*) how="sudo dnf install python3.12" ;;
  *suse*) how="sudo zypper install python312" ;;
  *arch*) how="sudo pacman -S python" ;;
  *) how="install Python 3.12 with this distribution's package manager" ;;
esac
echo "Cannot go on: no Python 3.11 to 3.13 is on PATH; $how; or name one: make lab PYTHON=/path/to/python3.12"
exit 1
