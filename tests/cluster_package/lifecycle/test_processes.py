import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cluster.lifecycle import processes


def test_a_process_has_a_start_time_until_it_ends():
    # A name of its own: other tests may have left another Python under this process.
    command = ["an-only-child", "-c", "input()"]
    with subprocess.Popen(command, executable=sys.executable, stdin=subprocess.PIPE) as child:
        started = processes.start_time(child.pid)
        assert started > 0
        # Popen returns before the kernel has the new program's words.
        while processes.program(child.pid) == "":
            time.sleep(0.001)
        assert processes.children(os.getpid())["an-only-child"] == child.pid
    assert processes.start_time(child.pid) == -1


def test_a_name_that_is_cut_in_the_middle_of_a_character_is_read():
    """The kernel keeps 15 bytes of it: of any process on the machine."""
    code = "open('/proc/self/comm', 'wb').write('программа-х'.encode()); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        comm = Path(f"/proc/{child.pid}/comm")
        while comm.read_bytes().isascii():
            time.sleep(0.01)
        assert processes.start_time(child.pid) > 0
        assert child.pid in processes.children(os.getpid()).values()


def test_a_stopped_process_is_seen():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert not processes.is_stopped(child.pid)
        os.kill(child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        assert processes.is_stopped(child.pid)
        os.kill(child.pid, signal.SIGCONT)


def test_a_zombie_does_not_run():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.start_time(child.pid) == -1
    child.wait()


def test_the_first_process_of_a_node_says_whose_it_is(monkeypatch):
    words = [sys.executable, "-m", "cluster.node", "lab", "/programs", "10.213.0.2", "/x/.lab", ""]
    with monkeypatch.context() as patch:
        patch.setattr(processes.Path, "read_bytes", lambda _: "\0".join(words).encode())
        found = processes.node(1)
    assert found == ("lab", "10.213.0.2", Path("/x/.lab"))
