"""Module 5: the operator installed, and a TfJob that trains on one GPU."""

from __future__ import annotations

from validator import diagnosis, evidence, near_misses, operator_release, tfjobs
from validator.engine import check, exercise
from validator.hints import LOAD, container_hint, too_many_gpus
from validator.snapshot import Object, Snapshot, Unreadable, at, is_true, listed, name_of, text
from validator.verdicts import Finding, converging, not_started, wrong

PAGE = "modules/5-tfjob/README.md"
INSTALL = "helm install tf-job operator/chart --set cloud=azure"
UPGRADE = "`helm upgrade --install tf-job operator/chart --set cloud=azure`"
FIRST = "module5-ex1"
NAMES = ("module5-ex1", "module5-ex2", "module5-ex3")
STEPS = 500
TEST_ACCURACY = 0.80
APPLY = (
    f"complete modules/5-tfjob/starter/exercise-1.yaml and `kubectl apply -f` it; "
    f"its metadata.name is {FIRST}"
)

exercise(
    "5.0",
    title="Install the operator",
    anchor=f"{PAGE}#install-the-operator",
)
exercise(
    "5.1",
    title="One MASTER on one GPU",
    anchor=f"{PAGE}#exercise-1",
    # A vanilla Job of that name is a common mistake, and in the way of nothing but the learner.
    objects=(("tfjob", FIRST), ("job", FIRST)),
    solution="modules/5-tfjob/solution/exercise-1.yaml",
    solution_without_gpus="modules/5-tfjob/solution/exercise-1-no-gpu.yaml",
)


@check("5.0")
def deployment_exists(cluster: Snapshot) -> Finding | None:
    """The operator's Deployment exists, installed by Helm."""
    found = operator_release.deployment(cluster)
    if found is None:
        return _no_deployment(cluster)
    if not operator_release.installed_by_helm(found):
        return wrong(
            found="Deployment tf-job-operator, made without Helm",
            wanted="the operator as Helm's release tf-job, which Helm can upgrade and remove",
            next_step=f"`kubectl delete deployment tf-job-operator`, then `{INSTALL}`",
        )
    return None


@check("5.0")
def crd_is_established(cluster: Snapshot) -> Finding | None:
    """TfJob is a kind that this cluster knows: its CRD is Established."""
    if _readable(cluster, "tfjobs") and cluster.served("tfjobs"):
        return None
    definition = operator_release.crd(cluster)
    if definition is None:
        return wrong(
            found="the operator, but no CustomResourceDefinition tfjobs.tensorflow.org",
            wanted="the CustomResourceDefinition that the chart brings",
            next_step=f"`helm uninstall tf-job`, then install it again with its CRD: `{INSTALL}`",
        )
    if not is_true(definition, "Established"):
        return converging(
            found="CustomResourceDefinition tfjobs.tensorflow.org, not yet Established",
            wanted="condition Established: True",
            next_step="wait a few seconds: `kubectl wait --for=condition=Established "
            "crd/tfjobs.tensorflow.org`",
        )
    return None


@check("5.0")
def operator_is_available(cluster: Snapshot) -> Finding | None:
    """The operator runs: its Deployment is Available."""
    found = operator_release.deployment(cluster)
    # Kubernetes calls a Deployment of 0 replicas Available.
    if at(found, "spec", "replicas") == 0:
        return wrong(
            found="Deployment tf-job-operator scaled to 0 replicas",
            wanted="one replica that is Available",
            next_step="`kubectl scale deployment/tf-job-operator --replicas=1`",
        )
    if found is None or is_true(found, "Available"):
        return None
    for pod in operator_release.pods(cluster)[-1:]:
        for status in listed(pod, "status", "containerStatuses"):
            waiting = (status.get("state") or {}).get("waiting") or {}
            hint = container_hint(pod, text(waiting, "reason"), text(waiting, "message"))
            if hint:
                return hint
    return converging(
        found="Deployment tf-job-operator is not Available yet",
        wanted="condition Available: True",
        next_step="wait a few seconds: `kubectl rollout status deployment/tf-job-operator`",
    )


@check("5.0")
def knows_the_drivers(cluster: Snapshot) -> Finding | None:
    """Its ConfigMap says where Azure's nodes keep the GPU drivers."""
    if operator_release.config_map(cluster) is None:
        return wrong(
            found="the operator without a ConfigMap tf-job-operator-config",
            wanted="ConfigMap tf-job-operator-config, which the chart brings",
            next_step=f"{UPGRADE} brings it back",
        )
    known = operator_release.accelerators(cluster)
    azure = operator_release.mounts_of((known or {}).get(operator_release.AZURE_RESOURCE))
    if any(mount.host_path.startswith(operator_release.AZURE_DRIVERS) for mount in azure):
        return None
    paths = ", ".join(sorted(mount.host_path for mount in azure)) or "no driver folders"
    return wrong(
        found=f"ConfigMap tf-job-operator-config with {paths} for "
        f"{operator_release.AZURE_RESOURCE}",
        wanted=f"the folders of cloud=azure, under {operator_release.AZURE_DRIVERS}",
        next_step=f"{UPGRADE}: the release was installed without, or with another, cloud",
    )


@check("5.0")
def tfjobs_are_served(cluster: Snapshot) -> Finding | None:
    """The API server serves TfJobs."""
    if cluster.served("tfjobs"):
        return None
    return converging(
        found="the API server does not serve tfjobs.tensorflow.org/v1alpha1 yet",
        wanted="`kubectl get tfjobs` that answers",
        next_step="wait a few seconds and check again",
    )


@check("5.1", requires=["5.0"])
def tfjob_exists(cluster: Snapshot) -> Finding | None:
    """A TfJob named module5-ex1 exists."""
    if cluster.find("tfjobs", FIRST):
        return None
    return near_misses.missing(cluster, "tfjobs", FIRST, APPLY, _is_this_exercise, NAMES)


@check("5.1", requires=["5.0"])
def one_master(cluster: Snapshot) -> Finding | None:
    """It has one MASTER and no other replica."""
    shape = tfjobs.shape(_tfjob(cluster))
    if shape in ("1 MASTER", "1 CHIEF"):
        return None
    return wrong(
        found=f"replicaSpecs of {shape}",
        wanted="one MASTER, nothing else",
        next_step=_again(
            "leave one entry in spec.replicaSpecs: replicas: 1, tfReplicaType: MASTER"
        ),
    )


@check("5.1", requires=["5.0"])
def container_is_named_tensorflow(cluster: Snapshot) -> Finding | None:
    """Its container is named tensorflow, as the operator wants it."""
    pod = _template(cluster)
    if tfjobs.training_container(pod):
        return None
    names = ", ".join(text(c, "name") or "(no name)" for c in tfjobs.containers(pod)) or "none"
    return wrong(
        found=f"containers of the MASTER: {names}",
        wanted="a container named tensorflow: by that name the operator finds the one that trains",
        next_step=_again("set `name: tensorflow` on the container"),
    )


@check("5.1", requires=["5.0"])
def arguments_are_text(cluster: Snapshot) -> Finding | None:
    """Its command and args are text, each of them."""
    odd = tfjobs.not_text(_container(cluster))
    if odd is None:
        return None
    where, value = odd
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return wrong(
        found=f"{where} is {shown} without quotes, which YAML reads as {_yaml_kind(value)}",
        wanted=f'{where} in quotes: "{shown}"',
        next_step=_again(f'write "{shown}" with its quotes'),
    )


@check("5.1", requires=["5.0"])
def trains_the_sample_image(cluster: Snapshot) -> Finding | None:
    """It trains the sample image, which the cluster has."""
    tfjob = _tfjob(cluster)
    image = text(_container(cluster), "image")
    if tfjobs.is_sample_image(image):
        return diagnosis.pulls_in_vain(cluster, tfjob)
    return diagnosis.pulls_in_vain(cluster, tfjob) or wrong(
        found=f"image {image or '(none)'}",
        wanted=f"the sample image, {tfjobs.SAMPLE_IMAGE}",
        next_step=_again(f"set `image: {tfjobs.SAMPLE_IMAGE}`")
        + f" (this cluster does not pull; an image comes in with `{LOAD}`)",
    )


@check("5.1", requires=["5.0"])
def asks_for_one_gpu(cluster: Snapshot) -> Finding | None:
    """It asks for one GPU (on a cluster that has none, for none)."""
    container = _container(cluster)
    asked = tfjobs.gpus(container)
    if list(asked.values()) == [1]:
        return too_many_gpus(cluster, container) if _readable(cluster, "nodes") else None
    if sum(asked.values()) > 1:
        excess = too_many_gpus(cluster, container) if _readable(cluster, "nodes") else None
        return excess or _one_gpu(", ".join(f"{n} {r}" for r, n in asked.items()))
    return _one_gpu("no GPU asked for") if tfjobs.gpus_of_cluster(cluster) else None


@check("5.1", requires=["5.0"])
def mounts_no_drivers_by_hand(cluster: Snapshot) -> Finding | None:
    """Its manifest mounts no drivers: that is the operator's work."""
    pod = _template(cluster)
    paths = sorted({text(v, "hostPath", "path") for v in listed(pod, "volumes")} - {""})
    if not paths:
        return None
    return wrong(
        found=f"hostPath volumes in the manifest: {', '.join(paths)}",
        wanted="no driver folders in the manifest; the operator mounts what its ConfigMap names",
        next_step=_again("delete the hostPath volumes and their volumeMounts"),
    )


@check("5.1", requires=["5.0"])
def asks_for_five_hundred_steps(cluster: Snapshot) -> Finding | None:
    """It is told to train for 500 steps, and no other number."""
    container = _container(cluster)
    steps = tfjobs.option(container, "--max-steps")
    if not steps and not container.get("command"):
        return _other_number_of_steps("no --max-steps in args, so the image trains 2,200 steps")
    if not steps.isdigit() or int(steps) == STEPS:
        return None
    return _other_number_of_steps(f"--max-steps {steps}")


@check("5.1", requires=["5.0"])
def succeeded_through_the_operator(cluster: Snapshot) -> Finding | None:
    """It succeeded, and the operator made its Job."""
    tfjob = _tfjob(cluster)
    broken = diagnosis.diagnose(cluster, tfjob)
    if broken or _pods(cluster):
        return broken
    return wrong(
        found=f"TfJob {FIRST} has succeeded, but none of its Pods is left to show how",
        wanted="the Pod that trained, with its log",
        next_step=_again("keep the Pods (no ttlSecondsAfterFinished, no cleanPodPolicy: All)"),
    )


@check("5.1", requires=["5.0"])
def drivers_come_from_the_configmap(cluster: Snapshot) -> Finding | None:
    """Its Pod mounts exactly what the operator's ConfigMap has for the GPU it asked for."""
    wanted = _mounts_wanted(cluster, tfjobs.gpus(_container(cluster)))
    pod = _pods(cluster)[0]
    spec = pod.get("spec") or {}
    there = tfjobs.host_mounts(spec, tfjobs.training_container(spec))
    if there == wanted:
        return None
    return wrong(
        found=f"Pod {name_of(pod)} mounts {_paths(there)}",
        wanted=f"what the ConfigMap names for this GPU: {_paths(wanted)}",
        next_step=_again("let the operator make the Pod with its present ConfigMap"),
    )


@check("5.1", requires=["5.0"])
def trained_five_hundred_steps(cluster: Snapshot) -> Finding | None:
    """The training ran for 500 steps."""
    training = _training(cluster)
    if training.last_step == STEPS:
        return None
    if training.steps:
        return _other_number_of_steps(f"step {training.last_step} as the last in the log")
    return _only_words("no line `step n/500 loss ... accuracy ...` in the log")


@check("5.1", requires=["5.0"])
def log_hangs_together(cluster: Snapshot) -> Finding | None:
    """Its log is that of a training: steps take time, and the loss falls."""
    problem = evidence.contradiction(_training(cluster), _pods(cluster)[0])
    return _only_words(problem) if problem else None


@check("5.1", requires=["5.0"])
def test_accuracy_is_high_enough(cluster: Snapshot) -> Finding | None:
    """The test accuracy is 0.80 or more."""
    training = _training(cluster)
    if training.test_accuracy is not None and training.test_accuracy >= TEST_ACCURACY:
        return None
    shown = "no test accuracy" if training.test_accuracy is None else str(training.test_accuracy)
    return wrong(
        found=f"{shown} in the log of the training",
        wanted=f"a test accuracy of {TEST_ACCURACY:.2f} or more",
        next_step=_again("leave --learning-rate and --batch-size at the image's own values"),
    )


def _no_deployment(cluster: Snapshot) -> Finding:
    status = _release_status(cluster)
    if status and status != "deployed":
        return wrong(
            found=f"Helm release tf-job is {status}, and there is no Deployment tf-job-operator",
            wanted="release tf-job deployed",
            next_step=f"`helm uninstall tf-job`, then `{INSTALL}`",
        )
    return not_started(
        found="no operator: no Deployment tf-job-operator in any namespace",
        wanted="the operator, installed by Helm as release tf-job",
        next_step=f"`{INSTALL}`",
    )


def _release_status(cluster: Snapshot) -> str:
    readable = _readable(cluster, "helm")
    return operator_release.helm_status(cluster, operator_release.RELEASE) if readable else ""


def _readable(cluster: Snapshot, kind: str) -> bool:
    """Whether a kind could be read, for checks that can do without it."""
    try:
        cluster.items(kind)
    except Unreadable:
        return False
    return True


def _is_this_exercise(tfjob: Object) -> bool:
    """The right shape for 5.1, whatever its name: one MASTER, 500 steps of the sample image."""
    container = tfjobs.training_container(tfjobs.first_template(tfjob))
    image, steps = text(container, "image"), tfjobs.option(container, "--max-steps")
    return tfjobs.shape(tfjob) == "1 MASTER" and tfjobs.is_sample_image(image) and steps == "500"


def _tfjob(cluster: Snapshot) -> Object:
    return cluster.find("tfjobs", FIRST) or {}


def _template(cluster: Snapshot) -> Object:
    return tfjobs.first_template(_tfjob(cluster))


def _container(cluster: Snapshot) -> Object:
    return tfjobs.training_container(_template(cluster))


def _pods(cluster: Snapshot) -> list[Object]:
    return diagnosis.newest_pods(cluster, _tfjob(cluster))


def _training(cluster: Snapshot) -> evidence.Training:
    return evidence.read(cluster.log(_pods(cluster)[0]))


def _mounts_wanted(cluster: Snapshot, asked: dict[str, int]) -> set[tfjobs.Mount]:
    known = operator_release.accelerators(cluster) or {}
    return {m for resource in asked for m in operator_release.mounts_of(known.get(resource))}


def _paths(mounts: set[tfjobs.Mount]) -> str:
    return ", ".join(sorted(f"{m.host_path} at {m.mount_path}" for m in mounts)) or "nothing"


def _yaml_kind(value: object) -> str:
    if isinstance(value, bool):
        return "a truth value"
    return "a number" if isinstance(value, int | float) else "no text"


def _one_gpu(found: str) -> Finding:
    return wrong(
        found=found,
        wanted="one GPU, under resources.limits of the container",
        next_step=_again("set `resources: {limits: {nvidia.com/gpu: 1}}` on the container"),
    )


def _other_number_of_steps(found: str) -> Finding:
    return wrong(
        found=found,
        wanted=f"{STEPS} steps",
        next_step=_again(f'set args to ["--max-steps", "{STEPS}"]'),
    )


def _only_words(found: str) -> Finding:
    return wrong(
        found=f"{found}: the container printed words, and did not train",
        wanted=f"the sample image's own training of {STEPS} steps",
        next_step=_again("take `command` out of the manifest, so that the image runs its training"),
    )


def _again(change: str) -> str:
    """What a spec's change needs: a TfJob that has run does not run again."""
    return f"{change}, `kubectl delete tfjob {FIRST}`, and apply the manifest again"
