"""Machines that differ from this one, each by a stand-in: what works there, and what is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import paths
from cluster.host import folders, packages, privilege
from cluster.images import archives, builders
from tests import stand_ins

HOST = "from cluster.workshop import prepare; prepare.main(['host'])"
CHECK = """
from cluster.node import check
from cluster.errors import explained
with explained(): check.machine()
"""
NOT_DEBIAN = {
    "Fedora": ("ID=fedora", "run `sudo dnf install nftables`"),
    "RHEL 9": ('ID="rhel"\nID_LIKE="fedora"', "run `sudo dnf install nftables`"),
    "Arch": ("ID=arch", "run `sudo pacman -S nftables`"),
    "Tumbleweed": ('ID="opensuse-tumbleweed"\nID_LIKE="suse"', "`sudo zypper install nftables`"),
    "NixOS": ("ID=nixos", "install what Debian calls nftables"),
}


@pytest.mark.parametrize("name", NOT_DEBIAN)
def test_another_distribution_is_told_its_own_command(tmp_path, name):
    release, sentence = NOT_DEBIAN[name]
    (tmp_path / "os-release").write_text(release)
    over = stand_ins.lay_over(tmp_path / "os-release", Path("/etc/os-release"))
    said = stand_ins.python(HOST, f"{over}\n{stand_ins.hide('nft')}").stderr
    assert "the host lacks some tools" in said
    assert sentence in said


def test_silverblue_has_no_dnf(tmp_path):
    (tmp_path / "os-release").write_text("ID=fedora\nVARIANT_ID=silverblue")
    stand_ins.program(tmp_path / "bin", "rpm-ostree", "exit 1")
    over = stand_ins.lay_over(tmp_path / "os-release", Path("/etc/os-release"))
    lines = f"{over}\n{stand_ins.hide('nft')}"
    said = stand_ins.python(HOST, lines, PATH=stand_ins.path(tmp_path / "bin")).stderr
    assert "sudo rpm-ostree install --apply-live nftables" in said


def test_apt_gets_the_proxy_through_sudo(tmp_path, monkeypatch):
    record = tmp_path / "record"
    stand_ins.program(tmp_path, "sudo", f'echo "$@" >> {record}')
    monkeypatch.setenv("PATH", stand_ins.path(tmp_path))
    monkeypatch.setenv("http_proxy", "http://proxy.firm:3128")
    monkeypatch.setattr(privilege.os, "geteuid", lambda: 1000)
    packages.apt_install(["nftables"])
    update, install = record.read_text().splitlines()
    assert update.startswith("--preserve-env=http_proxy env ")
    assert install.startswith("--preserve-env=http_proxy env ")
    assert install.endswith("nftables")


DOCKER_OF_A_SNAP = """\
case "$1" in
  --version) echo Docker version 27.2.0;;
  save) shift
    for word; do case "$word" in */.*) echo "open $word: permission denied" >&2; exit 1;; esac; done
    test $# = 1 && echo "the archive of $1";;
esac"""


def test_a_docker_from_a_snap_writes_into_no_hidden_folder(tmp_path, monkeypatch):
    stand_ins.program(tmp_path / "bin", "docker", DOCKER_OF_A_SNAP)
    monkeypatch.setenv("PATH", stand_ins.path(tmp_path / "bin"))
    assert builders.working()[0] == "docker"
    archive = tmp_path / ".cache" / "image.tar"
    archive.parent.mkdir()
    archives.export("docker", "localhost/tf-job-operator:1.1.0", archive)
    assert archive.read_text() == "the archive of localhost/tf-job-operator:1.1.0\n"


def test_podman_under_the_name_of_docker_is_no_builder_and_its_images_keep_their_names(
    tmp_path, monkeypatch
):
    stand_ins.program(tmp_path, "docker", 'test "$1" = --version && echo podman version 4.9.3')
    monkeypatch.setenv("PATH", stand_ins.path(tmp_path))
    assert "docker" not in builders.working()
    image = "localhost/tf-job-operator:1.1.0"
    for name in ("buildah", "podman"):
        assert image in builders.build_command(name, image, Path("context"), False)
        assert any(image in word for word in builders.export_command(name, image, Path("x.tar")))


def test_a_docker_build_knows_the_proxy_by_name_alone(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret@proxy.firm:3128")
    command = builders.build_command("docker", "x/y:1", Path("context"), True)
    assert "--build-arg=HTTPS_PROXY" in command
    assert "secret" not in " ".join(command)


def test_an_rm_that_knows_no_preserve_root_of_all_removes_a_cluster_all_the_same(
    tmp_path, monkeypatch
):
    """Ubuntu 25.10: rm of uutils."""
    refuse = 'case "$*" in *preserve-root=all*) echo "unexpected value" >&2; exit 1;; esac'
    stand_ins.program(tmp_path / "bin", "rm", f'{refuse}\nexec /bin/rm "$@"')
    deep = tmp_path / "cluster/a/b/c/d/e/f/g"
    deep.mkdir(parents=True)
    monkeypatch.setenv("PATH", stand_ins.path(tmp_path / "bin"))
    folders.remove(tmp_path / "cluster")
    assert not (tmp_path / "cluster").exists()


def test_a_container_whose_disks_are_all_overlays_is_refused(tmp_path):
    """A real overlay lies over .lab and over the folder that stands in for it."""
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    layers = "lowerdir=lower,upperdir=upper,workdir=work"
    lines = [f"mount -t tmpfs x {tmp_path}", f"cd {tmp_path}"]
    for place in (paths.STATE, Path("/var/lib")):
        at = place.name
        lines += [f"mkdir -p {at} && cd {at} && mkdir lower upper work"]
        lines += [f"mount -t overlay x -o {layers} {place}", f"cd {tmp_path}"]
    lines += [f"cd {paths.CHECKOUT}"]
    said = stand_ins.python(CHECK, "\n".join(lines)).stderr
    assert "no folder can hold the containers' overlay file systems" in said
    assert "a disk of this machine" in said


def test_a_vpn_that_routes_all_of_10(tmp_path):
    """Real routes, in a network namespace of their own."""
    links = "ip link add vpn type veth peer name far; ip link set vpn up"
    routes = f"{links}; ip address add 10.8.0.2/32 dev vpn; ip route add 10.0.0.0/8 dev vpn"
    code = "from cluster.node import network; print(network.choose(0, network.taken()))"
    command = ["unshare", "--net", "sh", "-ec", f'{routes}; exec "$@"', "sh"]
    done = subprocess.run(
        [*command, sys.executable, "-B", "-c", code], cwd=paths.CHECKOUT, capture_output=True
    )
    assert done.stdout == b"198.18.0.0/27\n", done.stderr


PYTHON_OF = """\
exec {python} -c "
import sys
sys.version_info = {version}
exec(sys.argv[1])" "$2"
"""


@pytest.mark.parametrize(
    ("programs", "taken"),
    [
        pytest.param({"python3": (3, 11)}, "python3", id="Debian 12"),
        pytest.param({"python3": (3, 10), "python3.11": (3, 11)}, "python3.11", id="Ubuntu 22.04"),
        pytest.param({"python3": (3, 14)}, "python3", id="Ubuntu 26.04"),
        pytest.param({"python3": (3, 14), "python3.12": (3, 12)}, "python3.12", id="with another"),
        pytest.param({"python3": (3, 9)}, "", id="RHEL 9"),
    ],
)
def test_which_python_make_takes(tmp_path, programs, taken):
    for name, version in programs.items():
        body = PYTHON_OF.format(python=sys.executable, version=version)
        stand_ins.program(tmp_path, name, body)
    for name in ("sh", "env", "bash", "id"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    command = ["/usr/bin/make", "--silent", "--eval=which: ; @echo $(PYTHON)", "which"]
    environment = {"PATH": str(tmp_path)}
    done = subprocess.run(
        command, cwd=paths.CHECKOUT, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == taken, done.stderr


def test_line_ends_of_a_clone_by_git_for_windows(tmp_path):
    """core.autocrlf=true: /bin/sh of an image build stops at a carriage return."""
    clone = ["git", "clone", "--quiet", "--shared", "--config=core.autocrlf=true"]
    subprocess.run([*clone, str(paths.CHECKOUT), "lab"], cwd=tmp_path, check=True)
    lab = tmp_path / "lab"
    scripts = [*lab.rglob("*.sh"), lab / "Makefile", *lab.rglob("Dockerfile")]
    assert len(scripts) > 3
    assert [str(script) for script in scripts if b"\r" in script.read_bytes()] == []


@pytest.mark.parametrize("of_another_user", [False, True])
def test_a_notebook_finds_the_checkout_without_git(tmp_path, of_another_user):
    """It came as a ZIP; or git does not look into it, because it is another user's."""
    lab = tmp_path / "lab"
    names = [page.relative_to(paths.CHECKOUT) for page in sorted(PAGES)]
    for name in (*names, Path("modules/notebook.sh")):
        (lab / name).parent.mkdir(parents=True, exist_ok=True)
        (lab / name).write_bytes((paths.CHECKOUT / name).read_bytes())
    (lab / ".lab").mkdir()
    (lab / ".lab" / "activate").write_text("echo activated")
    if of_another_user:
        subprocess.run(["git", "init", "--quiet", str(lab)], check=True)
        subprocess.run(["chown", "--recursive", "12345:12345", str(lab)], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "SUDO_UID"}
    for name in names:
        cell = first_cell(lab / name)
        done = subprocess.run(
            ["bash", "-c", cell], cwd=(lab / name).parent, env=environment, capture_output=True
        )
        assert b"activated" in done.stdout, f"{name}: {done.stderr.decode()}"


PAGES = list((paths.CHECKOUT / "modules").glob("*/lab.ipynb"))


def first_cell(notebook: Path) -> str:
    cells = json.loads(notebook.read_text())["cells"]
    return "".join(next(cell for cell in cells if cell["cell_type"] == "code")["source"])
