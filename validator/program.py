"""What a container runs: whether it is the image's own program, and with which options.

By the words of its ``command`` and ``args``, its variables and its volumes. Some
facts are certain (another program); of others only a reader who sees inside the
container could tell, and then no verdict is given rather than a wrong one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from posixpath import normpath

from validator.script import ENTRY_POINT, file_of, file_run, options_of
from validator.snapshot import Object, Unreadable, listed, text
from validator.tfjobs import command_line, containers, option, runs_own_image, words

# Where the image keeps what it runs; data and the drivers of GPUs are elsewhere.
_CODE_FOLDERS = (
    "/opt/fashion-mnist",
    "/opt/venv",
    "/opt/jupyter",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/local/bin",
    "/usr/local/lib",
    "/etc/ld.so.preload",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
)
_DRIVERS = re.compile(r"nvidia|cuda")
_WORKING_FOLDER = "/tmp"
_TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
# These name files with code, which a volume may hold.
_CODE_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PYTHONWARNINGS",
    "LD_PRELOAD",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "PATH",
    "BASH_ENV",
    "ENV",
    "TF_PLUGGABLE_DEVICE_LIBRARY_PATH",
    "pycache_prefix",
)
# A shell that is told to read files of its own first.
_READS_PROFILE = re.compile(r"(?:^|\s)-\w*[li]\w*(?:\s|$)|--(?:login|rcfile|init-file)\b")
# bash makes functions of these, which come before programs of the same name.
_FUNCTION_VARIABLE = "BASH_FUNC_"
_IMPORTED = ("fashion_mnist", "tensorflow", "keras", "numpy", "absl", "google", "h5py", "six")
_LOG_WORDS = re.compile(
    r"step\W+\S+\W+loss|\bloss\b.*\baccuracy\b|test accuracy|of the cluster"
    r"|\btook\b.*\bsteps\b|saved model|\bpainted\s+[/$]"
)
_EXPANDED = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")


@dataclass(frozen=True)
class Doubt:
    """Why something is not, or may not be, a training by the sample image.

    cause: for the finding's id. reason: a part of a sentence. certain: whether it
    is a fact; what is not certain makes nothing wrong, and nothing done either.
    """

    cause: str
    reason: str
    certain: bool = True


def another_program(pod: Object, container: Object, module: str = ENTRY_POINT) -> Doubt | None:
    """Why this container does not run this module of the image, and it alone; None when it does.

    pod: the Pod's spec, or that of a template.
    """
    return next(_doubts(pod, container, module), None)


def other_code(pod: Object, container: Object) -> Doubt | None:
    """Why its volumes or its variables may bring a program that is not the image's; None if not."""
    return next(chain(_variables(pod, container), _volumes(pod, container)), None)


def option_words(container: Object, module: str = ENTRY_POINT) -> list[str] | None:
    """The options that the image's program is given; None where that is not known."""
    found = _options(container, module)
    return found if isinstance(found, list) else None


def given(container: Object, name: str) -> str | None:
    """The value of an option of the training; "" for none, None where it is not known."""
    found = option_words(container)
    return None if found is None else option({"args": found}, name)


def asked(container: Object, name: str, module: str) -> str:
    """The value of an option of this module; "" for none. Raises: Unreadable if it is not known."""
    found = option_words(container, module)
    if found is None:
        raise Unreadable(f"the options of {module}", 0, "`command` runs it in another way")
    return option({"args": found}, name)


def _options(container: Object, module: str) -> list[str] | str:
    line = expanded(container)
    if not words(container, "command"):
        return line if module == ENTRY_POINT else f"the image runs {ENTRY_POINT} by itself"
    found = options_of(line, module)
    unknown = isinstance(found, list) and any(_EXPANDED.search(word) for word in found)
    if unknown and module != ENTRY_POINT:
        return f"a variable that only the Pod knows is an option of {module}"
    return found


def _doubts(pod: Object, container: Object, module: str) -> Iterator[Doubt]:
    yield from _command(pod, container, module)
    yield from _variables(pod, container)
    yield from _volumes(pod, container)


def _command(pod: Object, container: Object, module: str) -> Iterator[Doubt]:
    trains = module == ENTRY_POINT
    if not words(container, "command"):
        if not trains:
            yield Doubt("command", f"without `command`, the image runs {ENTRY_POINT}")
        return
    line = command_line(container)
    # The entry point of an image of the learner's own is the learner's.
    own = trains and runs_own_image(container)
    if not own and not any(module in word or file_of(module) in word for word in line):
        does = "replaces the image's training program" if trains else f"does not run {module}"
        yield Doubt("command", f"`command` {does}")
        return
    values = [text(v, "value") for v in listed(container, "env")]
    if any(_LOG_WORDS.search(_plain(words_)) for words_ in [*line, *values]):
        yield Doubt("prints", "`command` prints lines of the log by itself")
    found = _options(container, module)
    if isinstance(found, str) and not (own and _runs_a_file_of_the_image(pod, container)):
        yield Doubt("unclear", found, certain=False)


def _runs_a_file_of_the_image(pod: Object, container: Object) -> bool:
    """Whether Python runs a file that no volume has brought."""
    file = file_run(expanded(container))
    if re.search(r"/python[\d.]+/", normpath(file)):
        # Python's own modules, such as timeit, run code that stands on the command line.
        return False
    paths = [path for _, path in _carriers(pod, container)]
    if not file.startswith("/"):
        # The folder that it begins with is known to the image alone.
        return bool(file) and not paths
    return not any(within(normpath(file), path) for path in paths)


def _variables(pod: Object, container: Object) -> Iterator[Doubt]:
    for variable in listed(container, "env"):
        name = text(variable, "name")
        if name.startswith(_FUNCTION_VARIABLE):
            yield Doubt("code-variable", f"the variable {name[:40]} is a program of its own")
    paths = [path for _, path in _carriers(pod, container)]
    if not paths:
        # Without a volume, all files are the image's own.
        return
    line = " ".join(command_line(container))
    if words(container, "command") and re.search(r"\bcd\b", line):
        yield Doubt("working-folder", "the script changes its folder, and mounts volumes", False)
    flags = takewhile(lambda word: not re.search(r"\s", word), command_line(container))
    if words(container, "command") and _READS_PROFILE.search(" ".join(flags)):
        yield Doubt("profile", "the shell reads a profile first, which a volume may hold", False)
    for name in _CODE_VARIABLES:
        given = [v for v in listed(container, "env") if text(v, "name") == name]
        leads = any(_leads_to(paths, v.get("value")) for v in given)
        if leads or re.search(rf"(?:\b|X){name}=", line):
            reason = f"the variable {name} may lead to a program in a volume"
            yield Doubt("code-variable", reason, certain=False)
    if listed(container, "envFrom"):
        reason = "variables from elsewhere (envFrom) may lead to a program in a volume"
        yield Doubt("env-from", reason, certain=False)


def _leads_to(paths: list[str], value: object) -> bool:
    """Whether a list of folders may have one in a volume; one that is not known may."""
    if not isinstance(value, str) or "$" in value or not value.strip():
        return True
    parts = [part for part in re.split(r"[:,;\s]", value) if part]
    return any(
        not part.startswith("/") or within(part, path) or within(path, part)
        for part in parts
        for path in paths
    )


def _volumes(pod: Object, container: Object) -> Iterator[Doubt]:
    folder = text(container, "workingDir").rstrip("/") or _WORKING_FOLDER
    for kind, path in _carriers(pod, container):
        if any(within(path, code) or within(code, path) for code in _CODE_FOLDERS):
            yield Doubt("mounted-code", f"a volume at {path} hides the image's program")
        below = path[len(folder) + 1 :].split("/")[0] if within(path, folder) else ""
        module = below.removesuffix(".py")
        if module in _IMPORTED or (module and module in sys.stdlib_module_names):
            yield Doubt("mounted-code", f"a volume at {path} comes before the image's program")
        # A claim for what the program saves may be mounted there.
        if path == folder and kind != "persistentVolumeClaim":
            reason = f"a volume at {path}, where Python looks for programs first"
            yield Doubt("working-folder", reason, certain=False)
        if path == folder != _WORKING_FOLDER and kind == "persistentVolumeClaim":
            reason = f"a claim at {path}, where Python looks for programs first"
            yield Doubt("working-folder", reason, certain=False)


def _carriers(pod: Object, container: Object) -> Iterator[tuple[str, str]]:
    """(kind of volume, path) of each mount that may bring files which are not the image's."""
    volumes = {text(v, "name"): v for v in listed(pod, "volumes")}
    for mount in listed(container, "volumeMounts"):
        path, name = text(mount, "mountPath").rstrip("/") or "/", text(mount, "name")
        volume = volumes.get(name, {})
        kind = next((key for key in volume if key != "name"), "unknown")
        host = text(volume, "hostPath", "path")
        drivers = kind == "hostPath" and _DRIVERS.search(f"{host} {path}")
        alone = kind == "emptyDir" and not _shared(pod, container, name)
        if not (drivers or alone or path == _TOKENS):
            yield kind, path


def _shared(pod: Object, container: Object, volume: str) -> bool:
    """Whether another container of the Pod mounts this volume, and may write to it."""
    both = [*containers(pod), *listed(pod, "initContainers")]
    others = [c for c in both if c is not container and c.get("name") != container.get("name")]
    return any(text(m, "name") == volume for c in others for m in listed(c, "volumeMounts"))


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder, or is below it."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def _plain(words_: str) -> str:
    """Without the quotes and backslashes with which a shell's text may be cut into pieces."""
    return re.sub(r"['\"\\]", "", words_)


def expanded(container: Object) -> list[str]:
    """The command line with $(NAME) replaced, as the kubelet does it for variables it knows."""
    values = {text(v, "name"): v["value"] for v in listed(container, "env") if text(v, "value")}
    return [
        _EXPANDED.sub(lambda match: values.get(match[1], match[0]), word)
        for word in command_line(container)
    ]
