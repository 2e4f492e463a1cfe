"""Measure one check of the validator, and kubectl reading the same kinds beside it.

    python -m bench.validator [RUNS]

Prints Markdown tables. It asks the cluster of $KUBECONFIG or the workshop's own, and only reads.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.validator.relay import relay
from cluster.programs import binaries
from validator.kubeconfig import Connection, connect

CHECKOUT = Path(__file__).resolve().parents[2]
CHECK = ["module5", "--exercise", "1"]
# /api/v1/pods, /apis/batch/v1/namespaces/x/jobs: a list, not one object nor a log.
LIST = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/v\w+(?:/namespaces/[^/]+)?/(?P<plural>\w+)")
RUNS = 15


def main(runs: int) -> None:
    """Count the API calls of both commands, run them in turns, and print the figures."""
    connection = connect(None, None, None)
    asked, kinds, discovery = count(connection)
    kubectl = ["kubectl", "get", kinds, "-o", "json", "--namespace", connection.namespace]
    commands = {
        "python -m validator module5 --exercise 1": [sys.executable, "-m", "validator", *CHECK],
        f"kubectl get {len(kinds.split(','))} kinds -o json": kubectl,
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    calls = [f"{asked}", f"{len(kinds.split(','))} (with a cold cache {discovery})", ""]
    taken = in_turns(list(commands.values()), connection, runs)
    print(f"On {os.cpu_count()} cores, {runs} runs in turns, milliseconds of the whole process:\n")
    print("| command | median | min | API calls |\n| --- | --- | --- | --- |")
    for name, times, number in zip(commands, taken, calls, strict=True):
        print(f"| {name} | {statistics.median(times):.0f} | {min(times):.0f} | {number} |")
    print(f"\nThe kinds: {kinds.replace(',', ', ')}.\n\n{parts(connection, runs)}")


def count(connection: Connection) -> tuple[int, str, int]:
    """(API calls of a check, the kinds that it lists, calls of kubectl with a cold cache)."""
    with relay(connection) as counter, tempfile.TemporaryDirectory() as folder:
        through = environment(str(counter.kubeconfig(Path(folder))))
        run([sys.executable, "-m", "validator", *CHECK], through)
        paths = [path.partition("?")[0] for path in counter.seen]
        kinds = ",".join(sorted({kind for path in paths if (kind := kind_of(path))}))
        counter.seen.clear()
        cache = ["--cache-dir", f"{folder}/cache"]
        run(["kubectl", "get", kinds, "-o", "json", *cache], through)
        return len(paths), kinds, len(counter.seen)


def kind_of(path: str) -> str:
    """`jobs.batch` for the path of a list; "" for another path."""
    match = LIST.fullmatch(path)
    return ".".join(filter(None, (match["plural"], match["group"]))) if match else ""


def in_turns(commands: list[list[str]], connection: Connection, runs: int) -> list[list[float]]:
    """Milliseconds of every run, by command. The first run fills caches and does not count."""
    taken: list[list[float]] = [[] for _ in commands]
    usual = environment(connection.files)
    for _ in range(runs + 1):
        for times, command in zip(taken, commands, strict=True):
            before = time.perf_counter()
            run(command, usual)
            times.append((time.perf_counter() - before) * 1000)
    return [times[1:] for times in taken]


def parts(connection: Connection, runs: int) -> str:
    """A table of where the time of a check goes."""
    command = [sys.executable, "-m", "bench.validator.parts", *CHECK]
    usual = environment(connection.files)
    taken = [json.loads(run(command, usual).splitlines()[-1]) for _ in range(runs)]
    rows = [
        f"| {part} | {statistics.median(one.get(part, 0.0) for one in taken):.1f} |"
        for part in taken[0]
    ]
    return "\n".join(["| part of a check | milliseconds |", "| --- | --- |", *rows])


def environment(kubeconfig: str) -> dict[str, str]:
    """As a learner's: byte code is kept, and the workshop's kubectl comes first."""
    here = {**os.environ, "KUBECONFIG": kubeconfig, "PYTHONPATH": str(CHECKOUT)}
    here["PATH"] = os.pathsep.join([str(binaries.folder()), here["PATH"]])
    here.pop("PYTHONDONTWRITEBYTECODE", None)
    return here


def run(command: list[str], environment: dict[str, str]) -> str:
    """Its output; any verdict is fine, but that it could not check."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode in (2, 6) or (done.returncode and command[0] == "kubectl"):
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
