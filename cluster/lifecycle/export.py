"""Takes things out of a cluster: a file for whoever looks for a fault, and the kubeconfig."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cluster import files, paths
from cluster.errors import CannotGoOn
from cluster.host import machine
from cluster.lifecycle import kubeconfigs, status
from cluster.programs import binaries

LONGEST_LOG_BYTES = 2_000_000
OBJECTS = ("nodes", "pods", "jobs", "events", "persistentvolumeclaims")
# What names a secret: DB_PASSWORD_2 and AWS_SECRET_ACCESS_KEY do, while secretName, tokens and
# tokenExpirationSeconds do not.
HARMLESS = r"name|ref|file|path|dir|id|url|type|ttl|syncs|seconds"
WORDS = (
    r"pass(?:word|wd|phrase)|secret|credential|bearer|token(?!s(?![a-z])|iz)|_pwd"
    r"|(?:api|access|private)[-_]?key"
)
PART = r"[\w.-]{0,80}"  # bounded: a line of megabytes takes no longer than many lines
NAME = rf"(?:{WORDS})(?!{PART}(?:{HARMLESS})(?![\w.-])){PART}"
QUOTE = r"\\{0,9}[\"']"  # with backslashes in JSON that stands in JSON
NO_SECRET = r"(?!\(left out|(?:true|false|null|none)\b)"
OPEN = rf"(?P<quote>{QUOTE})?{NO_SECRET}"
# To the closing quote; without quotes to the next space, unless a list or a mapping begins.
VALUE = rf"(?(quote)(?:''|(?!(?<!\\)(?P=quote)).)+|(?![{{\[])(?:(?!{QUOTE})\S)+)"
# YAML: the rest of the line, and the lines below it that are farther to the right.
BLOCK = rf"{NO_SECRET}(?![{{\[]).+(?:\n+(?P=indent) +.*)*"
SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"-----BEGIN ([A-Z ]*KEY)-----(?s:.*?)-----END \1-----",
        r"eyJ[\w-]{10,999}\.[\w-]+\.[\w-]*",  # a token of a service account
        r"(?P<kept>authorization\S{0,3}[:=]\s*).+",
        r"(?P<kept>://[^/\s:@]{0,99}:)[^@\s]{1,999}(?=@)",  # a password in an address
        r"(?P<kept>https?://)[^/\s:@\"']{1,999}(?=@)",
        # A variable of a container, in YAML and in JSON.
        rf"(?P<kept>\bname: {QUOTE}?{PART}?{NAME}{QUOTE}?\n(?P<indent> *)value: ){BLOCK}",
        rf"(?P<kept>\bname{QUOTE}\s*:\s*{QUOTE}{PART}?{NAME}{QUOTE}\s*,\s*"
        rf"{QUOTE}value{QUOTE}\s*:\s*{OPEN}){VALUE}",
        # An option and its value: two entries of a YAML list, two of a JSON list, or two words.
        rf"(?P<kept>^(?P<indent> *)- {QUOTE}?--?{PART}?{NAME}{QUOTE}?\n *- )(?!-){BLOCK}",
        rf"(?P<kept>(?<![\w-])--?{PART}?{NAME}(?:{QUOTE}\s*,\s*|[ \t]+){OPEN})(?!-){VALUE}",
        # An entry of YAML; an entry of a list such as --password=…; any other assignment.
        rf"(?P<kept>^(?P<indent> *){QUOTE}?{PART}?{NAME}{QUOTE}?: ){BLOCK}",
        rf"(?P<kept>^(?P<indent> *)- {QUOTE}?{PART}?{NAME}=){BLOCK}",
        rf"(?P<kept>(?P<quote>{QUOTE}){PART}?{NAME}={NO_SECRET}){VALUE}",
        rf"(?P<kept>{NAME}{QUOTE}?[ \t]*[:=]+[ \t]*{OPEN}){VALUE}",
    )
)


def logs(
    cluster: paths.Cluster, target: Path, say: Callable[[str], None], kinds: Sequence[str] = OBJECTS
) -> None:
    """Write one archive with logs, status, objects and facts of the machine, without secrets."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(unfinished, "w:gz") as archive:
            for name, text in contents(cluster, kinds):
                content = redacted(text).encode(errors="replace")
                entry = tarfile.TarInfo(f"{cluster.name}/{name}")
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    say(f"{target}: look into it before you send it")


def contents(cluster: paths.Cluster, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name in the archive, text) of all that may help."""
    found: list[str] = []
    try:
        status.show(cluster, found.append)
    except CannotGoOn as error:  # what fails is worth knowing, too
        found.append(str(error))
    yield "status.txt", "\n".join(found) + "\n"
    yield "machine.json", json.dumps(asdict(machine.facts()), indent=2, default=sorted)
    folder = cluster.var / "log"
    for path in sorted([*folder.glob("components/*"), *folder.glob("pods/*/*/*.log")]):
        yield str(path.relative_to(folder)), end_of(path)
    for kind in kinds:
        words = ["get", kind, "--all-namespaces", "--output=yaml", "--request-timeout=5s"]
        yield f"objects/{kind}.yaml", kubectl(cluster, *words)


def end_of(path: Path) -> str:
    try:
        return path.read_bytes()[-LONGEST_LOG_BYTES:].decode(errors="replace")
    except OSError as error:
        return f"cannot be read: {error.strerror}\n"


def redacted(text: str) -> str:
    for pattern in SECRETS:
        text = pattern.sub(lambda found: found.groupdict().get("kept", "") + "(left out)", text)
    return text


def kubectl(cluster: paths.Cluster, *arguments: str) -> str:
    """What kubectl says, be it an error: that is worth knowing, too."""
    program = binaries.folder() / "kubectl"
    command = [str(program), f"--kubeconfig={cluster.kubeconfig}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"
    return done.stdout + done.stderr


def merge_kubeconfig(cluster: paths.Cluster, target: Path, say: Callable[[str], None]) -> None:
    """Add the cluster to the user's own kubeconfig; their current context stays if they have one.

    The file as it was before the first merge is kept beside it.
    """
    target = target.resolve()  # a link stays one
    context = f"workshop-{cluster.name}"
    ours = renamed(_read(cluster.kubeconfig), context)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    if not target.exists():
        ours["current-context"] = context
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ours").write_text(json.dumps(ours))
        theirs = str(target) if target.exists() else os.devnull
        environment = {**os.environ, "KUBECONFIG": f"{folder}/ours:{theirs}"}
        command = [str(binaries.folder() / "kubectl"), "config", "view", "--flatten"]
        merged = subprocess.run(command, env=environment, capture_output=True, text=True)
    if merged.returncode:
        raise CannotGoOn(f"{target} cannot be merged", merged.stderr)
    before = target.with_name(f"{target.name}.before-workshop")
    if target.exists() and not before.exists():
        files.write(before, target.read_bytes(), 0o600)
    files.write(target, merged.stdout, 0o600)
    say(f"{target} knows this cluster: `kubectl config use-context {context}`")


def _read(kubeconfig: Path) -> dict[str, Any]:
    try:
        return kubeconfigs.read(kubeconfig)
    except OSError as error:
        fix = "start the cluster with `python -m cluster up`"
        raise CannotGoOn(f"{kubeconfig} cannot be read", error.strerror or "", fix) from None


def renamed(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A kubeconfig of ours with names that no other has, and no current context."""
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = {"cluster": name, "user": name, "namespace": "default"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": context}],
    }
