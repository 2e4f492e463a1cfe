"""Each refusal has a hint of its own; the messages are of Kubernetes 1.37 and the operator."""

import pytest

from validator.hints import (
    container_hint,
    creation_hint,
    edit_distance,
    odd_list,
    one_line,
    spec_hint,
    template_hint,
    wrong_shape,
)
from validator.verdicts import Verdict

POD = 'Error creating: pods "module5-ex1-master-ab12-0-x" is forbidden: '
JOB = 'Job module5-ex1-master-ab12-0: Job.batch "module5-ex1-master-ab12-0" is invalid: '
TYPE = 'Job x: Job in version "v1" cannot be handled as a Job: json: cannot unmarshal '
FIELD = (
    'Job x: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field '
)
AT = "spec.template.spec.containers[0]."
QUOTA = "exceeded quota: class, requested: "
RESTRICTED = (
    'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container '
    '"tensorflow" must set securityContext.allowPrivilegeEscalation=false), unrestricted '
    'capabilities (container "tensorflow" must set securityContext.capabilities.drop=["ALL"]), '
)
OCI = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: exec: "
)


@pytest.mark.parametrize(
    ("message", "cause", "found", "fix"),
    [
        pytest.param(
            POD + "failed quota: class: must specify limits.cpu for: tensorflow; "
            "limits.memory for: tensorflow; requests.cpu for: tensorflow",
            "quota.must-specify",
            "accepts only Pods that state limits.cpu",
            "limits: {cpu:",
            id="a quota wants limits and requests",
        ),
        pytest.param(
            POD + QUOTA + "limits.memory=800Mi,requests.cpu=1, used: limits.memory=512Mi,"
            "requests.cpu=1, limited: limits.memory=1Gi,requests.cpu=1",
            "quota.used-up",
            "quota class is used up",
            "kubectl get tfjobs,jobs,pods",
            id="a quota is used up by other Pods",
        ),
        pytest.param(
            POD + QUOTA + "limits.cpu=4,limits.memory=4Gi, used: limits.cpu=1,limits.memory=512Mi, "
            "limited: limits.cpu=2,limits.memory=1Gi",
            "quota.too-big",
            "more than the quota allows at all",
            "Ask for less",
            id="a Pod is larger than the whole quota",
        ),
        pytest.param(
            POD + "exceeded quota: gpus, requested: requests.nvidia.com/gpu=2, "
            "used: requests.nvidia.com/gpu=0, limited: requests.nvidia.com/gpu=1",
            "quota.too-big",
            "requests.nvidia.com/gpu=2",
            "Ask for less",
            id="a quota of GPUs is too small",
        ),
        pytest.param(
            'jobs.batch "jobs0" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1, '
            "used: count/jobs.batch=3, limited: count/jobs.batch=3",
            "quota.used-up",
            "quota jobs is used up",
            "delete what you no longer need",
            id="a quota of Jobs is used up",
        ),
        pytest.param(
            POD + "[maximum cpu usage per Container is 500m, but limit is 2, cpu max limit to "
            "request ratio per Container is 2, but provided ratio is 10.000000]",
            "limit-range.maximum",
            "maximum cpu for one Container is 500m, and the limit is 2",
            "Ask for at most 500m cpu",
            id="above a LimitRange's maximum",
        ),
        pytest.param(
            POD + "minimum cpu usage per Container is 100m, but request is 50m",
            "limit-range.minimum",
            "the request is 50m",
            "Ask for at least 100m cpu",
            id="below a LimitRange's minimum",
        ),
        pytest.param(
            POD + "cpu max limit to request ratio per Container is 2, but provided ratio is 4.00",
            "limit-range.ratio",
            "at most 2 times the request",
            "Raise resources.requests.cpu",
            id="a limit too far above its request",
        ),
        pytest.param(
            POD + "maximum memory usage per Pod is 1Gi.  No limit is specified",
            "limit-range.maximum",
            "no limit is set",
            "at most 1Gi memory",
            id="a LimitRange wants a limit",
        ),
        pytest.param(
            POD + 'error looking up service account a/trainer: serviceaccount "trainer" not found',
            "service-account",
            "ServiceAccount trainer, which does not exist",
            "kubectl create serviceaccount trainer",
            id="no such ServiceAccount",
        ),
        pytest.param(
            POD + 'error looking up service account a/default: serviceaccount "default" not found',
            "service-account.default",
            "does not exist yet",
            "Wait",
            id="a namespace a second old has no ServiceAccount yet",
        ),
        pytest.param(
            POD + "no PriorityClass with name urgent was found",
            "priority-class",
            "PriorityClass urgent",
            "Drop `priorityClassName: urgent`",
            id="no such PriorityClass",
        ),
        pytest.param(
            POD + 'pod rejected: RuntimeClass "nvidia" not found',
            "runtime-class",
            "RuntimeClass nvidia",
            "Drop `runtimeClassName: nvidia`",
            id="no such RuntimeClass",
        ),
        pytest.param(
            POD + 'violates PodSecurity "baseline:latest": hostPath volumes (volume "lib")',
            "pod-security.host-path",
            "does not allow hostPath volumes",
            "kubectl get namespaces --show-labels",
            id="Pod Security refuses the driver folders",
        ),
        pytest.param(
            POD + RESTRICTED + "restricted volume types (volume "
            '"lib" uses restricted volume type "hostPath")',
            "pod-security.host-path",
            "does not allow hostPath volumes",
            "Use another namespace",
            id="so does its level restricted",
        ),
        pytest.param(
            POD + RESTRICTED + "runAsNonRoot != true",
            "pod-security.settings",
            "refuses the Pod: allowPrivilegeEscalation != false",
            "securityContext",
            id="Pod Security without any hostPath",
        ),
        pytest.param(
            POD + 'violates PodSecurity "baseline:latest": privileged (container "tensorflow" must '
            "not set securityContext.privileged=true)",
            "pod-security.settings",
            "must not set securityContext.privileged=true",
            "securityContext",
            id="a privileged container",
        ),
        pytest.param(
            POD + "ValidatingAdmissionPolicy 'team' with binding 'team' denied request: every Pod "
            "needs the label team",
            "webhook.denied",
            "policy team refuses the Pod: every Pod needs the label team",
            "Change what the message names",
            id="a policy of the cluster",
        ),
        pytest.param(
            'Error creating: admission webhook "images.example" denied the request: no such tag',
            "webhook.denied",
            "policy images.example refuses the Pod: no such tag",
            "Change what the message names",
            id="a webhook of the cluster",
        ),
        pytest.param(
            "Error creating: Internal error occurred: failed calling webhook "
            '"silent.example": failed to call webhook: Post "https://127.0.0.1:9/x?timeout=2s": '
            "dial tcp 127.0.0.1:9: connect: connection refused",
            "webhook.silent",
            "silent.example of this cluster does not answer",
            "Wait",
            id="a webhook that does not answer",
        ),
        pytest.param(
            POD + "unable to create new content in namespace ann because it is being terminated",
            "namespace-ending",
            "is being deleted",
            "kubectl create namespace",
            id="the namespace is being deleted",
        ),
        pytest.param(
            'jobs.batch is forbidden: User "system:serviceaccount:ops:tf-job-operator" cannot '
            'create resource "jobs" in API group "batch" in the namespace "ann"',
            "operator-rights",
            "no right to create jobs",
            "Install the operator again",
            id="an operator without its rights",
        ),
        pytest.param(
            POD + "the moon is full",
            "forbidden",
            "the moon is full",
            "Change what the message names",
            id="what nobody knows is passed on in the API's words",
        ),
        pytest.param(
            'Error creating: Pod "x" is invalid: spec.containers[0].image: Invalid value: '
            '" tfjob": must not have leading or trailing whitespace',
            "value.image",
            'image is " tfjob": must not have leading or trailing whitespace',
            "Correct `image`",
            id="a value that only the Pod is judged by",
        ),
        pytest.param(
            "the disk is full",
            "refused",
            "the disk is full",
            "Fix what the message names",
            id="another error, in the API's words",
        ),
    ],
)  # fmt: skip
def test_a_child_that_may_not_be_made(message, cause, found, fix):
    finding = creation_hint("Job module5-ex1-master-ab12-0", message)
    assert finding.cause == cause, finding
    assert found in finding.found, finding
    assert fix in finding.next_step, finding


@pytest.mark.parametrize(
    ("message", "waits"),
    [
        pytest.param(
            POD + QUOTA + "pods=1, used: pods=4, limited: pods=4", True, id="a quota in use"
        ),
        pytest.param(
            'failed calling webhook "a.example": connection refused', True, id="a webhook at rest"
        ),
        pytest.param(POD + 'serviceaccount "default" not found', True, id="a namespace just made"),
        pytest.param(
            POD + QUOTA + "pods=1, used: pods=0, limited: pods=0", False, id="a quota of nothing"
        ),
        pytest.param(
            POD + 'serviceaccount "trainer" not found', False, id="an account that nobody makes"
        ),
    ],
)
def test_what_heals_by_itself_is_on_its_way(message, waits):
    verdict = creation_hint("Job x", message).verdict
    assert verdict is (Verdict.CONVERGING if waits else Verdict.WRONG)


def test_only_a_missing_right_or_the_manifest_itself_makes_the_object_again():
    """An account, a quota or a namespace is fixed beside the object, which then goes on."""
    account = creation_hint("Job x", POD + 'serviceaccount "trainer" not found')
    limits = creation_hint("Job x", POD + "failed quota: a: must specify limits.cpu for: c")
    assert (account.redo, limits.redo) == (False, True)


@pytest.mark.parametrize(
    ("message", "cause", "found", "fix"),
    [
        pytest.param(
            FIELD + f'"{AT}volumes"', "volumes-of-a-container", "under a container",
            "Move `volumes` to template.spec", id="a container's volumes",
        ),
        pytest.param(
            FIELD + '"spec.template.spec.volumes[0].claimName"', "claim-name",
            "directly under a volume", "persistentVolumeClaim: {claimName: NAME}",
            id="a claim's name alone",
        ),
        pytest.param(
            FIELD + '"spec.template.spec.tensorboard"', "tensorboard", "in the template",
            "Move `tensorboard`", id="a template's tensorboard",
        ),
        pytest.param(
            FIELD + f'"{AT}arg"', "unknown-field", "does not know: arg", "perhaps args", id="arg"
        ),
        pytest.param(
            FIELD + f'"{AT}imagee"', "unknown-field", "imagee", "perhaps image?", id="imagee"
        ),
        pytest.param(
            FIELD + f'"{AT}resources.limit"', "unknown-field", "limit", "limits", id="limit"
        ),
        pytest.param(
            FIELD + '"spec.template.spec.ServiceAccountName"',
            "unknown-field",
            "ServiceAccountName",
            "perhaps serviceAccountName",
            id="a capital letter",
        ),
        pytest.param(
            FIELD + f'"{AT}resources.alpha.kubernetes.io/nvidia-gpu"',
            "gpu-outside-limits",
            "alpha.kubernetes.io/nvidia-gpu is under resources, not under resources.limits",
            "limits: {alpha.kubernetes.io/nvidia-gpu: 1}",
            id="a GPU without limits",
        ),
        pytest.param(
            JOB + f'[{AT}resources.limits[gpu]: Invalid value: "gpu": must be a standard resource '
            f'type or fully qualified, {AT}resources.limits[gpu]: Invalid value: "gpu": must be a '
            "standard resource for containers]",
            "unknown-resource",
            "resources.limits names gpu",
            "`alpha.kubernetes.io/nvidia-gpu` in place of `gpu`",
            id="a resource that Kubernetes does not have",
        ),
        pytest.param(
            JOB + f"{AT}resources.limits[nvidia.com/gpu]: Invalid value: "
            '"500m": must be an integer',
            "fraction",
            "nvidia.com/gpu is 500m: whole GPUs only",
            "nvidia.com/gpu: 1",
            id="half a GPU",
        ),
        pytest.param(
            JOB + f"{AT}resources.limits: Required value: Limit must be set for non overcommitable "
            "resources",
            "gpu-request-only",
            "under resources.requests alone",
            "Move the GPU",
            id="a GPU only requested",
        ),
        pytest.param(
            JOB + f'{AT}resources.requests: Invalid value: "2": must be less than or equal to cpu '
            "limit of 1",
            "request-over-limit",
            "resources.requests.cpu is 2, and resources.limits.cpu is 1",
            "the limit of cpu",
            id="a request above its limit",
        ),
        pytest.param(
            JOB + f'{AT}resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu '
            "limit of 2",
            "request-over-limit",
            "resources.requests.nvidia.com/gpu is 1",
            "limit of nvidia.com/gpu",
            id="GPUs whose request is not their limit",
        ),
        pytest.param(
            JOB + "quantities must match the regular expression '^([+-]?[0-9.]+)$'",
            "quantity",
            "memory: 2GB under resources cannot be read",
            "Correct the amount",
            id="an amount with a wrong unit",
        ),
        pytest.param(
            JOB + f'{AT}volumeMounts[0].name: Not found: "data"',
            "volume-missing",
            "names the volume data",
            "Add the volume",
            id="a mount without its volume",
        ),
        pytest.param(
            JOB + f'{AT}volumeMounts.subPath: Invalid value: "/x": must be a relative path',
            "sub-path",
            "subPath /x",
            "without its first slash",
            id="a subPath with a slash",
        ),
        pytest.param(
            JOB + f"{AT}image: Required value", "image-missing", "no image", "image:", id="no image"
        ),
        pytest.param(
            JOB + f"{AT}volumeMounts[0].mountPath: Required value",
            "required",
            "has no volumeMounts.mountPath",
            "Add `mountPath:`",
            id="a field that has to be there",
        ),
        pytest.param(
            JOB + f'{AT}imagePullPolicy: Unsupported value: "ifNotPresent": supported values: '
            '"Always", "IfNotPresent", "Never"',
            "value.imagePullPolicy",
            'imagePullPolicy is "ifNotPresent"',
            "Correct `imagePullPolicy`",
            id="a word that Kubernetes does not have",
        ),
        pytest.param(
            JOB + 'spec.template.spec.containers[1].name: Duplicate value: "tensorflow"',
            "duplicate.name",
            'name "tensorflow" occurs twice',
            "Change one of the two",
            id="two containers of one name",
        ),
        pytest.param(
            JOB + "spec.template.spec.volumes[0].hostPath: Forbidden: may not specify more than 1 "
            "volume type",
            "value.hostPath",
            "may not specify more than 1 volume type",
            "Correct `hostPath`",
            id="a volume of two kinds",
        ),
        pytest.param(
            JOB + 'spec.template.spec.containers[1].name: Invalid value: "Side_Car": a lowercase '
            "RFC 1123 label must consist of lower case alphanumeric characters or '-'",
            "name-characters.name",
            'name is "Side_Car"',
            "Correct `name`",
            id="a name with capital letters",
        ),
        pytest.param(
            JOB + f"{AT}ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535",
            "value.containerPort",
            "ports.containerPort is 99999: must be between 1 and 65535",
            "Correct `containerPort`",
            id="a number out of range",
        ),
        pytest.param(
            TYPE + "number into Go struct field EnvVar.spec.template.spec.containers.env.value of "
            "type string",
            "type.value",
            "env.value is a number, wanted text (in quotes)",
            "text (in quotes)",
            id="a number where text is wanted",
        ),
        pytest.param(
            TYPE + "string into Go struct field ContainerPort.spec.template.spec.containers.ports."
            "containerPort of type int32",
            "type.containerPort",
            "ports.containerPort is one text, wanted a number",
            "a number",
            id="text where a number is wanted",
        ),
        pytest.param(
            TYPE + "string into Go struct field SecurityContext.spec.template.spec.containers."
            "securityContext.runAsNonRoot of type bool",
            "type.runAsNonRoot",
            "wanted true or false",
            "true or false",
            id="y in quotes where true is wanted",
        ),
        pytest.param(
            TYPE + "array into Go struct field PodSpec.spec.template.spec.nodeSelector of type "
            "map[string]string",
            "type.nodeSelector",
            "nodeSelector is a list, wanted a mapping",
            "a mapping",
            id="a list where a mapping is wanted",
        ),
        pytest.param(
            TYPE + "object into Go struct field PodSpec.spec.template.spec.tolerations of type "
            "[]v1.Toleration",
            "type.tolerations",
            "tolerations is a mapping, wanted a list",
            "a list",
            id="a mapping where a list is wanted",
        ),
    ],
)  # fmt: skip
def test_a_template_that_is_refused(message, cause, found, fix):
    written = {"containers": [{"name": "c", "resources": {"limits": {"memory": "2GB", "cpu": 1}}}]}
    finding = template_hint("its template", message, [written], "alpha.kubernetes.io/nvidia-gpu")
    assert (finding.verdict, finding.cause) == (Verdict.WRONG, cause), finding
    assert found in finding.found, finding
    assert fix in finding.next_step, finding


def test_other_words_about_a_template_are_left_to_the_api():
    assert template_hint("its template", "the moon is full") is None


@pytest.mark.parametrize(
    ("fields", "cause", "found", "fix"),
    [
        pytest.param({"args": ["--max-steps", "500"]}, "", "", "", id="a list of texts is fine"),
        pytest.param({}, "", "", "", id="so is none"),
        pytest.param(
            {"args": ["--max-steps", 500]},
            "unquoted",
            "args[1] is 500 without quotes, which YAML reads as a number",
            'Write "500"',
            id="a number without quotes",
        ),
        pytest.param(
            {"args": ["--verbose", True]},
            "unquoted",
            "args[1] is true without quotes, which YAML reads as a truth value (as it does with "
            "yes, no, on, off, y and n)",
            'Write "true"',
            id="y, on or true without quotes",
        ),
        pytest.param(
            {"args": ["--rate", 0.5]}, "unquoted", "a number", '"0.5"', id="a decimal number"
        ),
        pytest.param(
            {"args": ["--max-steps", None]}, "empty", "args[1] is empty", "delete", id="no text"
        ),
        pytest.param(
            {"args": "--max-steps 500"},
            "one-text",
            "args is one text (--max-steps 500), wanted a list",
            'args: ["--max-steps", "500"]',
            id="all words as one text",
        ),
        pytest.param(
            {"args": 500}, "not-a-list", "args is a number", 'args: ["--max-steps"', id="a number"
        ),
        pytest.param(
            {"args": {"max-steps": 500}}, "not-a-list", "a mapping", "args: [", id="a mapping"
        ),
        pytest.param(
            {"args": [{"--max-steps": 500}]},
            "shape",
            "args[0] is a mapping, wanted one text",
            "Write args as in",
            id="a colon too many",
        ),
        pytest.param(
            {"command": "python train.py"},
            "one-text",
            "command is one text",
            'command: ["python", "train.py"]',
            id="a command as one text",
        ),
    ],
)
def test_the_shape_of_command_and_args(fields, cause, found, fix):
    finding = wrong_shape({"name": "tensorflow", **fields})
    assert (finding.cause if finding else "") == cause
    if finding:
        assert found in finding.found
        assert fix in finding.next_step


@pytest.mark.parametrize(
    ("pod", "found"),
    [
        pytest.param({"containers": [{"env": [{"name": "A"}]}]}, "", id="lists of mappings"),
        pytest.param(
            {"containers": {"name": "tensorflow"}}, "containers is a mapping", id="one container"
        ),
        pytest.param({"containers": [{"env": {"A": "1"}}]}, "env is a mapping", id="variables"),
        pytest.param(
            {"containers": [{"env": ["A=1"]}]}, "an entry of env is one text", id="A=1 in env"
        ),
        pytest.param(
            {"containers": [{}], "volumes": "data"}, "volumes is one text", id="one volume's name"
        ),
    ],
)
def test_the_shape_of_lists(pod, found):
    finding = odd_list(pod)
    assert (finding.found if finding else "") == found


@pytest.mark.parametrize(
    ("message", "cause", "fix"),
    [
        pytest.param(
            "spec.replicaSpecs[0].template.spec.containers: none is named 'tensorflow', and one "
            "must be",
            "container-name",
            "`name: tensorflow`",
            id="no container tensorflow",
        ),
        pytest.param(
            "spec.replicaSpecs[0].replicas: is 2, and the MASTER must be exactly 1",
            "chief-count",
            "`replicas: 1` for the MASTER",
            id="two masters",
        ),
        pytest.param(
            "spec.replicaSpecs: has no MASTER, so nothing decides when the job is done",
            "chief-missing",
            "tfReplicaType: MASTER",
            id="no master",
        ),
        pytest.param(
            "spec.replicaSpecs[1].template: is missing (ReplicaType: WORKER, Replica is missing "
            "Template)",
            "template-missing",
            "Add `template:` to the entry of the WORKER",
            id="a worker without a template",
        ),
        pytest.param(
            "spec.replicaSpecs: MASTER and CHIEF are the same role; keep one of them",
            "chief-twice",
            "Delete one",
            id="a master and a chief",
        ),
        pytest.param(
            "spec.replicaSpecs: is empty, so there is nothing to run; add a MASTER",
            "no-replicas",
            "tfReplicaType: MASTER",
            id="nothing to run",
        ),
        pytest.param(
            "spec.tensorboard.logDir: is missing; name the folder that holds the summaries",
            "log-dir",
            "logDir:",
            id="TensorBoard without a folder",
        ),
        pytest.param(
            "metadata.name: 'a.dot' has a dot, which no Service name may have",
            "name",
            "Change metadata.name",
            id="a name that no Service may have",
        ),
    ],
)
def test_a_spec_that_the_operator_refuses(message, cause, fix):
    finding = spec_hint(message, "training")
    assert (finding.cause, fix in finding.next_step) == (cause, True), finding


def test_containers_beside_the_spec_of_a_template_are_not_a_wrong_name():
    message = "spec.replicaSpecs[0].template.spec.containers: none is named 'tensorflow'"
    assert spec_hint(message, "").cause == "no-containers"


@pytest.mark.parametrize(
    ("reason", "message", "cause", "found"),
    [
        pytest.param(
            "InvalidImageName",
            "couldn't parse image name: repository name (Fashion) must be lowercase",
            "image.invalid",
            "image name a:1 is not valid",
            id="an image name with capitals",
        ),
        pytest.param(
            "CreateContainerConfigError",
            'configmap "conf" not found',
            "config.missing",
            "configmap conf, which does not exist",
            id="no such ConfigMap",
        ),
        pytest.param(
            "CreateContainerConfigError",
            'secret "sek" not found',
            "config.missing",
            "secret sek",
            id="no such Secret",
        ),
        pytest.param(
            "CreateContainerConfigError",
            "couldn't find key b in ConfigMap ann/there",
            "config.key",
            "the key b of ConfigMap ann/there",
            id="no such key",
        ),
        pytest.param(
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root",
            "security.non-root",
            "must not run as root",
            id="an image that runs as root",
        ),
        pytest.param(
            "StartError",
            OCI + '"trian": executable file not found in $PATH',
            "program.missing",
            "no program trian",
            id="a command that does not exist",
        ),
        pytest.param(
            "StartError",
            OCI + '"/opt/nothing": stat /opt/nothing: no such file or directory',
            "program.missing",
            "no program /opt/nothing",
            id="a path that does not exist",
        ),
        pytest.param(
            "StartError",
            OCI + '"python train.py --max-steps 500": executable file not found in $PATH',
            "program.one-text",
            "one text with spaces",
            id="a whole command line as one word",
        ),
        pytest.param(
            "StartError",
            OCI + '"/tmp": permission denied',
            "program.permission",
            "no right to run its program",
            id="a file that is no program",
        ),
        pytest.param(
            "StartError",
            OCI + '"nvidia-smi": executable file not found in $PATH',
            "program.nvidia-smi",
            "no program nvidia-smi",
            id="nvidia-smi in a container that was given no driver",
        ),
        pytest.param(
            "StartError",
            OCI + '"/usr/local/nvidia/bin/nvidia-smi": stat /usr/local/nvidia/bin/nvidia-smi: no '
            "such file or directory",
            "program.nvidia-smi",
            "no program /usr/local/nvidia/bin/nvidia-smi",
            id="nvidia-smi in a folder that is empty",
        ),
        pytest.param(
            "CreateContainerError",
            'failed to generate spec: failed to mkdir "/usr/local/nvidia/bin": mkdir '
            "/usr/local/nvidia: read-only file system",
            "host-path.missing",
            "no folder /usr/local/nvidia/bin",
            id="a hostPath folder that the node does not have and cannot make",
        ),
        pytest.param(
            "", "sh: 1: cannot create /tmp/x: Read-only file system", "security.read-only",
            "read-only root file system", id="a root file system that is read-only",
        ),
        pytest.param(
            "OOMKilled", "", "memory", "more memory than its limit of 64Mi", id="too little memory"
        ),
        pytest.param("StartError", "?", "program.other", "could not start", id="another cause"),
    ],
)  # fmt: skip
def test_a_container_that_cannot_start(reason, message, cause, found):
    finding = container_hint(
        reason, message, container="tensorflow", image="a:1", limit="64Mi", sample="b:1"
    )
    assert (finding.cause, found in finding.found) == (cause, True), finding


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", "Error", "Completed"])
def test_no_fault_is_seen_where_there_is_none(reason):
    given = {"container": "c", "image": "a", "limit": "", "sample": "b"}
    assert container_hint(reason, "", **given) is None


def test_names_with_braces_come_from_a_learner_and_are_no_format():
    given = {"container": "{nobody}", "image": "{image}", "limit": "{0}", "sample": "b"}
    assert "{nobody}" in container_hint("StartError", "{said}", **given).found


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        pytest.param("", "", 0, id="nothing"),
        pytest.param("abc", "abc", 0, id="the same"),
        pytest.param("abc", "ac", 1, id="a letter too many"),
        pytest.param("abc", "axc", 1, id="another letter"),
        pytest.param("abc", "acb", 1, id="two swapped"),
        pytest.param("abc", "cab", 2, id="one moved by two"),
        pytest.param("", "abc", 3, id="all missing"),
    ],
)
def test_edit_distance(one, other, edits):
    assert edit_distance(one, other) == edits == edit_distance(other, one)


def test_a_long_message_becomes_one_line_of_bounded_length():
    assert one_line("a\n  b") == "a b"
    assert len(one_line("x" * 10_000)) == 400
