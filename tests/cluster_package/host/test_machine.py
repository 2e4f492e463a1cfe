import pytest

from cluster.host import machine


@pytest.mark.parametrize(
    ("text", "family"),
    [
        pytest.param('ID=debian\nVERSION_ID="12"', "debian", id="Debian"),
        pytest.param('ID=linuxmint\nID_LIKE="ubuntu debian"', "debian", id="Mint is like Debian"),
        pytest.param('ID="rocky"\nID_LIKE="rhel centos fedora"', "fedora", id="Rocky"),
        pytest.param("ID=manjaro\nID_LIKE=arch", "arch", id="Manjaro"),
        pytest.param('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "suse", id="openSUSE"),
        pytest.param("ID=nixos", "unknown", id="NixOS"),
        pytest.param("", "unknown", id="no os-release at all"),
    ],
)
def test_the_family_of_a_distribution_comes_from_os_release(text, family):
    assert machine.family_of(text) == family


def test_controllers_are_read_from_either_cgroup_version():
    assert machine.cgroup_controllers("cpu io memory pids\n", "") >= {"cpu", "memory", "pids"}
    v1 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t2\t1\nmemory\t4\t9\t0\n"
    assert machine.cgroup_controllers(None, v1) == {"cpu"}
