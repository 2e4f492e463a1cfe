"""What a manifest says of a model server: its program, its model's name, where the model stands.

The server looks for versions at ``BASE/NAME/NUMBER``, as TensorFlow Serving does. Pure.
"""

from __future__ import annotations

from posixpath import join, normpath, relpath

from validator import places
from validator.diagnosis import succeeded
from validator.places import Place
from validator.program import asked, given, option_words, within
from validator.snapshot import Object, Snapshot, listed, name_of, text
from validator.tfjobs import main_container, pod_spec, replica_specs

PROGRAM, PORT = "fashion_mnist.serve", 8501
SAVE_DIR = "/tmp/fashion-mnist"


def calls(container: Object, module: str) -> bool:
    """Whether the container runs this module of the image, and nothing around it."""
    return option_words(container, module) is not None


def base_path(container: Object) -> str:
    """The folder in which the server looks for numbered versions."""
    base = _asked(container, "model-base-path")
    return normpath(base or join(_variable(container, "MODEL_BASE_PATH") or "/models",
                                  model_name(container)))  # fmt: skip


def model_name(container: Object) -> str:
    """The model's name in URLs."""
    return _asked(container, "model-name") or _variable(container, "MODEL_NAME") or "model"


def port(container: Object) -> int:
    """The port at which it listens."""
    number = _asked(container, "rest-api-port")
    return int(number) if number.isdecimal() and len(number) < 6 else PORT


def path_of(pod: Object, saved: Place) -> str:
    """Where the server's container sees a saved model; "" where no mount shows it."""
    for mount in places.mounts(pod, main_container(pod)):
        if mount.claim == saved.claim and within(saved.folder, normpath(mount.sub_path or ".")):
            below = relpath(saved.folder, mount.sub_path or ".")
            return normpath(join(mount.path, below))
        if mount.claim == saved.claim and not mount.sub_path:
            return normpath(join(mount.path, saved.folder))
    return ""


def is_read_only(pod: Object, claim: str) -> bool:
    """Whether the server can only read what it mounts of a claim."""
    volumes = {
        text(v, "name"): v["persistentVolumeClaim"].get("readOnly") is True
        for v in listed(pod, "volumes")
        if text(v, "persistentVolumeClaim", "claimName") == claim
    }
    mounts = [m for m in listed(main_container(pod), "volumeMounts") if m.get("name") in volumes]
    return all(m.get("readOnly") is True or volumes[m["name"]] for m in mounts)


def trainings(cluster: Snapshot, claim: str) -> list[tuple[Object, Place]]:
    """The TfJobs that save a model on a claim, and where; those that have succeeded first."""
    jobs = cluster.items("tfjobs") if cluster.served("tfjobs") else []
    found = [(job, place) for job in jobs if (place := _saved(job)) and place.claim == claim]
    return sorted(found, key=lambda each: (not succeeded(each[0]), name_of(each[0])))


def _saved(tfjob: Object) -> Place | None:
    """Where a TfJob of one replica saves its model; None where that is on no claim."""
    pod = pod_spec(next(iter(replica_specs(tfjob)), {}))
    container = main_container(pod)
    folder = given(container, "--save-dir") or SAVE_DIR
    return places.of_path(pod, container, normpath(f"{folder}/model"))


def _asked(container: Object, name: str) -> str:
    """The value of an option, which may be written with underscores. Raises: Unreadable."""
    names = (f"--{name}", f"--{name.replace('-', '_')}")
    return next((v for n in names if (v := asked(container, n, PROGRAM))), "")


def _variable(container: Object, name: str) -> str:
    return next((text(v, "value") for v in listed(container, "env") if v.get("name") == name), "")
