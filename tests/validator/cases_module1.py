"""What learners do in module 1: the worlds of 1.1, and what was built and run for each.

They are played one after the other: all of them use the same names in one container engine.
`record_images` plays and records them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.validator.cases import CHEAT_SNAPSHOTS, SNAPSHOTS, Case
from validator.exercises.module1 import IMAGE
from validator.verdicts import Verdict

Data = dict[str, Any]
WRONG, DONE = Verdict.WRONG, Verdict.DONE
BASE = "localhost/fashion-mnist:1.2.0"
FROM = f"FROM {BASE}\n"
COPY = "COPY main.py /app/main.py\n"
ENTRY = 'ENTRYPOINT ["python", "/app/main.py"]\n'
GOOD = FROM + COPY + ENTRY
BUILD = f"docker build --quiet --tag {IMAGE} ."
RUN = f"docker run --name module1-ex1 {IMAGE} --max-steps 100"
# A program that prints what a training prints, and does nothing.
PRINTS = (
    "for n in range(10, 101, 10):\n"
    "    print(f'step {n}/100 loss {2 - n / 80:.4f} accuracy 0.7500', flush=True)\n"
    "print('test accuracy 0.7600 on 10000 images')\n"
)
SLEEPS = "from time import sleep\n"


@dataclass(frozen=True)
class Built(Case):
    """A case that is played in a folder with main.py and a Dockerfile, by commands.

    `!` is before a command that has to fail. program: stands in main.py's place. edit: changes
    what was read. cheat: nobody's mistake.
    """

    dockerfile: str = GOOD
    typed: tuple[str, ...] = ()
    program: str = ""
    edit: Callable[[Data], object] = lambda data: None
    cheat: bool = False

    @property
    def snapshot(self) -> Path:
        return (CHEAT_SNAPSHOTS if self.cheat else SNAPSHOTS) / f"{self.title}.json"


def _one(
    name: str, id: str, found: str, fix: str, *typed: str, dockerfile: str = GOOD, **more: Any
) -> Built:
    chosen = {"verdict": WRONG, **more}
    return Built("1.1", name, id=id, found=found, fix=fix, typed=typed, dockerfile=dockerfile,
                 **chosen)  # fmt: skip


def _no_engine(words: str) -> Callable[[Data], None]:
    def edit(data: Data) -> None:
        for kind in ("engine", "images", "containers"):
            data["objects"].pop(kind, None)
        data["missing"]["engine"] = {"status": 0, "message": words}

    return edit


def not_loaded(data: Data) -> None:
    """As the nodes are before `python -m cluster load`."""
    for node in data["objects"]["nodes"]:
        images = node["status"]["images"]
        node["status"]["images"] = [
            i for i in images if not any("module1" in n for n in i["names"] or ())
        ]


def loaded(data: Data) -> None:
    """As a node says it after `python -m cluster load`."""
    not_loaded(data)
    for node in data["objects"]["nodes"]:
        node["status"]["images"].append({"names": [IMAGE]})


def by_docker(data: Data) -> None:
    """As a container looks that Docker has not ended yet."""
    for container in data["objects"]["containers"]:
        container["status"].pop("finishedAt", None)
        container["status"]["state"] = "running"


def sample_image_removed(data: Data) -> None:
    images = data["objects"]["images"]
    data["objects"]["images"] = [i for i in images if BASE not in i["spec"]["names"]]


SILENT = "Cannot connect to the Docker daemon. Is the docker daemon running?"
MODULE1 = [
    _one("nothing-made", "exists.none", "no image localhost/module1-ex1:v1", "docker build --tag",
         verdict=Verdict.NOT_STARTED),
    _one("solution", "", "", "", BUILD, RUN, verdict=DONE, edit=loaded),
    _one("not-loaded", "loaded.missing", "no node of the cluster", "python -m cluster load",
         BUILD, RUN, edit=not_loaded),
    _one("no-docker", "engine.none", "no `docker` on PATH", "source .lab/activate",
         verdict=Verdict.COULD_NOT_CHECK, edit=_no_engine("there is no `docker` on PATH")),
    _one("engine-stopped", "engine.silent", "Cannot connect", "python -m cluster base",
         verdict=Verdict.COULD_NOT_CHECK, edit=_no_engine(SILENT)),
    _one("no-permission", "engine.permission", "permission denied", "python -m cluster base",
         verdict=Verdict.COULD_NOT_CHECK,
         edit=_no_engine("permission denied while trying to connect to the Docker daemon")),
    _one("no-tag", "exists.name.no-tag", "always pulls", "docker tag localhost/module1-ex1:latest",
         "docker build --quiet --tag localhost/module1-ex1 ."),
    _one("other-tag", "exists.name.tag", "its version is 1, not v1", "docker tag",
         "docker build --quiet --tag localhost/module1-ex1:1 ."),
    _one("misspelled", "exists.name.misspelled", "modul1-ex1 is not module1-ex1", "docker tag",
         "docker build --quiet --tag localhost/modul1-ex1:v1 ."),
    _one("other-prefix", "exists.name.prefix", "looks for it in a public registry", "docker tag",
         "docker build --quiet --tag registry.example/ann/module1-ex1:v1 ."),
    _one("shell-form", "entry.shell", "/bin/sh -c", "list of words", BUILD,
         dockerfile=FROM + COPY + "ENTRYPOINT python /app/main.py\n"),
    _one("cmd", "entry.inherited", "CMD is only what comes behind", "Write ENTRYPOINT, not CMD",
         BUILD, dockerfile=FROM + COPY + 'CMD ["python", "/app/main.py"]\n'),
    _one("one-word", "entry.one-word", '"python /app/main.py"', "quotes of its own", BUILD,
         dockerfile=FROM + COPY + 'ENTRYPOINT ["python /app/main.py"]\n'),
    _one("other-base", "base.other", "does not begin with the layers", "python -m cluster base",
         BUILD, dockerfile="FROM scratch\n" + COPY + ENTRY),
    _one("no-copy", "base.nothing-added", "none of its own", "COPY main.py", BUILD,
         dockerfile=FROM + ENTRY),
    _one("small-image", "base.small", "TensorFlow alone has more", "python -m cluster base",
         BUILD, dockerfile="FROM scratch\n" + COPY + ENTRY, edit=sample_image_removed),
    _one("root", "user.root", "runs as root", "USER root", BUILD,
         dockerfile=FROM + "USER root\n" + COPY + ENTRY),
    _one("not-run", "ran.none", "your image has not run", "docker run --name", BUILD),
    _one("other-name", "ran.other-name", "a name that docker chose", "docker run --name", BUILD,
         RUN.replace("--name module1-ex1", "--name training").replace("100", "10")),
    _one("older-image", "ran.older-image", "ran another build", "docker rm --force", BUILD,
         RUN.replace("100", "10"), "sh -c 'echo LABEL again=1 >> Dockerfile'", BUILD),
    _one("no-such-program", "ran.not-started", "never started its program", "Correct ENTRYPOINT",
         BUILD, "! " + RUN, dockerfile=FROM + COPY + 'ENTRYPOINT ["pyton", "/app/main.py"]\n'),
    _one("two-paths", "ran.exit.2.file", "/main.py", "the two paths", BUILD, "! " + RUN,
         dockerfile=FROM + COPY + 'ENTRYPOINT ["python", "/main.py"]\n'),
    _one("underscore", "ran.exit.2.option", "--max_steps", "hyphens", BUILD,
         "! " + RUN.replace("--max-steps", "--max_steps")),
    _one("module", "ran.exit.1.module", "No module named", "fashion-mnist", BUILD, "! " + RUN,
         program="import torch\n"),
    _one("own-error", "ran.exit.1", "division by zero", "docker logs", BUILD, "! " + RUN,
         program="1 / 0\n"),
    _one("killed", "ran.exit.137.killed", "exit code 137", "docker stop", BUILD,
         "sh -c 'docker run --detach --name module1-ex1 " + IMAGE + " && docker kill module1-ex1'"),
    _one("few-steps", "trained.steps", "is 20", "--max-steps 100", BUILD,
         RUN.replace("100", "20")),
    _one("running", "ran.running", "is running", "docker logs --follow",
         BUILD, RUN.replace("100", "20"), verdict=Verdict.CONVERGING, edit=by_docker),
]  # fmt: skip
CHEATS = [
    _one("retagged", "base.nothing-added", "none of its own", "COPY main.py",
         f"docker tag {BASE} {IMAGE}", cheat=True),
    _one("prints", "trained.too-fast", "which no machine trains", "main.py", BUILD, RUN,
         program=PRINTS, edit=loaded, cheat=True),
    _one("prints-slowly", "trained.too-early", "before TensorFlow can even start", "main.py",
         BUILD, RUN, program=SLEEPS + PRINTS.replace("    print", "    sleep(.05); print"),
         edit=loaded, cheat=True),
]  # fmt: skip
