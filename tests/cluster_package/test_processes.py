import os
import subprocess
import sys

from cluster import processes


def test_a_process_has_a_start_time_until_it_ends():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = processes.start_time(child.pid)
        assert started > 0
        assert processes.children(os.getpid())[os.path.basename(sys.executable)] == child.pid
    assert processes.start_time(child.pid) == -1


def test_a_zombie_does_not_run():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.start_time(child.pid) == -1
    child.wait()
