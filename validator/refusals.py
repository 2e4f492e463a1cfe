"""Tables of refusals: the API server's, the kubelet's and the operator's own words, by cause.

Each row has a pattern, what was found, what is wanted and the fix; ``{name}``
is filled from the groups of the pattern by ``hints``. The first row that fits
is taken, so the more telling one stands before the more general.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One cause. ``redo``: the object has to be made again; else fixing the cause is enough."""

    pattern: str
    cause: str
    found: str
    wanted: str
    fix: tuple[str, ...]
    redo: bool = True
    waits: bool = False


# What the API server says when the Job controller, or the operator, may not create a Pod.
CREATION: tuple[Row, ...] = (
    Row(
        r"failed quota: (?P<quota>\S+): must specify (?P<what>.+)",
        "quota.must-specify",
        "the namespace's quota {quota} accepts only Pods that state {what}",
        "resources.limits and resources.requests in every container",
        (
            'Add `resources: {{limits: {{cpu: "1", memory: 2Gi}}, requests: {{cpu: 500m, '
            "memory: 1Gi}}}}` to the container (with the values that your instructor allows).",
        ),
    ),
    Row(
        r"(?P<bound>maximum|minimum) (?P<what>\S+) usage per (?P<scope>\w+) is (?P<value>\S+?)"
        r"[,.] +(?:but (?P<kind>\w+) is (?P<given>[^\s,\]]+)|No (?P<none>\w+) is specified)",
        "limit-range.{bound}",
        "the namespace's LimitRange: {bound} {what} for one {scope} is {value}, {asked}",
        "{what} within the LimitRange",
        (
            "Ask for {at_most} {value} {what}: set resources.limits.{what} and "
            "resources.requests.{what}.",
        ),
    ),
    Row(
        r"(?P<what>\w+) max limit to request ratio per (?P<scope>\w+) is (?P<value>[^,]+)",
        "limit-range.ratio",
        "the namespace's LimitRange: the {what} limit may be at most {value} times the request",
        "a {what} request closer to its limit",
        ("Raise resources.requests.{what}, or lower resources.limits.{what}.",),
    ),
    Row(
        r"serviceaccount \"default\" not found",
        "service-account.default",
        "the namespace's ServiceAccount default does not exist yet",
        "the ServiceAccount default, which Kubernetes makes in each namespace",
        ("Wait: Kubernetes makes it within seconds.",),
        False,
        True,
    ),
    Row(
        r"serviceaccount \"(?P<name>[^\"]+)\" not found",
        "service-account",
        "the manifest asks for ServiceAccount {name}, which does not exist in this namespace",
        "a ServiceAccount that exists",
        (
            "Drop `serviceAccountName: {name}` from the manifest; or create the account:",
            "$ kubectl create serviceaccount {name}",
        ),
        False,
    ),
    Row(
        r"no PriorityClass with name (?P<name>\S+) was found",
        "priority-class",
        "the manifest asks for PriorityClass {name}, which this cluster does not have",
        "a PriorityClass that exists",
        (
            "Drop `priorityClassName: {name}` from the manifest. This command shows which exist:",
            "$ kubectl get priorityclasses",
        ),
    ),
    Row(
        r"(?:RuntimeClass|runtimeclass\S*) \"(?P<name>[^\"]+)\" not found",
        "runtime-class",
        "the manifest asks for RuntimeClass {name}, which this cluster does not have",
        "a RuntimeClass that exists",
        (
            "Drop `runtimeClassName: {name}` from the manifest. This command shows which exist:",
            "$ kubectl get runtimeclasses",
        ),
    ),
    Row(
        r"violates PodSecurity \"(?P<level>[^\"]+)\":"
        r"(?P<why>.*(?:hostPath volumes|volume type \"hostPath\").*)",
        "pod-security.host-path",
        "Pod Security level {level} of this namespace does not allow hostPath volumes:{why}",
        "a namespace whose Pod Security level is privileged: the GPU drivers are hostPath volumes",
        (
            "Use another namespace, or ask whoever runs the cluster to change this one's level. "
            "This command shows the levels:",
            "$ kubectl get namespaces --show-labels",
        ),
        False,
    ),
    Row(
        r"violates PodSecurity \"(?P<level>[^\"]+)\":(?P<why>.+)",
        "pod-security.settings",
        "Pod Security level {level} of this namespace refuses the Pod:{why}",
        "a Pod that this level accepts",
        ("Set what the message names, under securityContext of the Pod and the container.",),
    ),
    Row(
        r"exceeded quota: (?P<quota>[^,]+), requested: (?P<asked>.+?), used: (?P<used>.+?), "
        r"limited: (?P<limit>.+)",
        "quota.used-up",
        "the namespace's quota {quota} is used up: asked for {asked}, in use {used}, of {limit}",
        "room in the namespace's quota",
        (
            "Wait until another Pod of this namespace ends, or delete what you no longer need. "
            "This command shows what is there:",
            "$ kubectl get tfjobs,jobs,pods",
        ),
        False,
        True,
    ),
    Row(
        r"(?:admission webhook|ValidatingAdmissionPolicy) ['\"](?P<name>[^'\"]+)['\"].*?"
        r"den(?:ied|ies) (?:the )?request:? *(?P<why>.*)",
        "webhook.denied",
        "the cluster's policy {name} refuses the Pod: {why}",
        "a Pod that the cluster's policy accepts",
        ("Change what the message names. Whoever runs the cluster can explain the policy.",),
    ),
    Row(
        r"failed calling webhook \"(?P<name>[^\"]+)\"",
        "webhook.silent",
        "the admission webhook {name} of this cluster does not answer: {message}",
        "a webhook that answers",
        ("Wait. If it stays so, ask whoever runs the cluster.",),
        False,
        True,
    ),
    Row(
        r"because it is being terminated",
        "namespace-ending",
        "the namespace is being deleted, so nothing can be created in it",
        "a namespace that stays",
        ("Use another namespace:", "$ kubectl create namespace NAME"),
        False,
    ),
    Row(
        r"cannot create resource \"(?P<what>[^\"]+)\"",
        "operator-rights",
        "the operator has no right to create {what}: {message}",
        "an operator with the rights of its chart",
        ("Install the operator again, as the page of module 5 shows.",),
        False,
    ),
)

# What the API server says of a template that it cannot accept.
TEMPLATE: tuple[Row, ...] = (
    Row(
        r"cannot unmarshal (?P<got>number|bool|string|object|array) into Go (?:struct field "
        r"\w+\.(?P<path>[\w.]+)|value) of type (?P<type>\S+)",
        "type.{leaf}",
        "{short} is {a_got}, wanted {a_type}",
        "{short} as {a_type}",
        ("Write `{leaf}` as {a_type}.",),
    ),
    Row(
        r"unknown field \"\S*?resources\.(?P<name>[^\"]*gpu)\"",
        "gpu-outside-limits",
        "{name} is under resources, not under resources.limits",
        "the GPU under resources.limits",
        ("Set `resources: {{limits: {{{name}: 1}}}}` on the container.",),
    ),
    Row(
        r"unknown field \"spec\.template\.(?P<name>volumes|containers|restartPolicy)\"",
        "outside-spec.{name}",
        "`{name}` stands beside template.spec, and not in it",
        "`{name}` under template.spec",
        ("Move `{name}` under template.spec: a template is metadata and the spec of a Pod.",),
    ),
    Row(
        r"unknown field \"[^\"]*ontainers\[\d+\]\.volumes\"",
        "volumes-of-a-container",
        "`volumes` stands under a container",
        "`volumes` under template.spec, beside `containers`",
        ("Move `volumes` to template.spec. The container has `volumeMounts`.",),
    ),
    Row(
        r"unknown field \"[^\"]*volumes\[\d+\]\.claimName\"",
        "claim-name",
        "`claimName` stands directly under a volume",
        "`claimName` under persistentVolumeClaim",
        ("Write `persistentVolumeClaim: {{claimName: NAME}}` beside the volume's name.",),
    ),
    Row(
        r"unknown field \"[^\"]*template\.(?:spec\.)?tensorboard\"",
        "tensorboard",
        "`tensorboard` stands in the template",
        "`tensorboard` under the TfJob's spec, beside replicaSpecs",
        ("Move `tensorboard` to the TfJob's own spec.",),
    ),
    Row(
        r"unknown field \"(?P<path>[^\"]+)\"",
        "unknown-field",
        "the manifest has a field that Kubernetes does not know: {leaf}",
        "only fields that exist{nearest}",
        ("Correct or delete `{leaf}` in the manifest{nearest}.",),
    ),
    Row(
        r"resources\.(?P<section>\w+)\[(?P<name>[^\]]+)\]: Invalid value: .*?"
        r"(?:must be a standard resource|fully qualified)",
        "unknown-resource",
        "resources.{section} names {name}, which is not a resource that Kubernetes knows",
        "a resource that the cluster has, such as {gpu}",
        ("Write `{gpu}` in place of `{name}`.",),
    ),
    Row(
        r"resources\.(?P<section>\w+)\[?(?P<name>[^\]:]*)\]?: Invalid value: \"?(?P<value>[^\":]+)"
        r"\"?: must be an integer",
        "fraction",
        "{name} is {value}: whole GPUs only",
        "a whole number of GPUs",
        ("Set `{name}: 1`.",),
    ),
    Row(
        r"quantities must match the regular expression|unable to parse quantity",
        "quantity",
        "{amounts} under resources cannot be read as an amount",
        "amounts such as 500m, 2, 512Mi or 2Gi",
        ("Correct the amount under resources.",),
    ),
    Row(
        r"Limit must be set for non overcommitable resources",
        "gpu-request-only",
        "a GPU is under resources.requests alone",
        "the GPU under resources.limits",
        ("Move the GPU from requests to limits.",),
    ),
    Row(
        r"Invalid value: \"(?P<value>[^\"]*)\": must be (?P<how>less than or equal|equal) to "
        r"(?P<name>\S+) limit of (?P<limit>[^\s,\]]+)",
        "request-over-limit",
        "resources.requests.{name} is {value}, and resources.limits.{name} is {limit}",
        "a request of {name} that is {how} to its limit",
        ("Correct the request or the limit of {name}.",),
    ),
    Row(
        r"volumeMounts\[\d+\]\.name: Not found: \"(?P<name>[^\"]+)\"",
        "volume-missing",
        "a volumeMount names the volume {name}, and the Pod has no volume of that name",
        "a volume named {name} under template.spec.volumes",
        ("Add the volume, or correct the name in volumeMounts.",),
    ),
    Row(
        r"subPath: Invalid value: \"(?P<value>[^\"]*)\": must be a relative path",
        "sub-path",
        "subPath {value} begins with a slash",
        "a subPath without a slash at its beginning",
        ("Write the subPath without its first slash.",),
    ),
    Row(
        r"\.image: Required value",
        "image-missing",
        "a container has no image",
        "an image in every container",
        ("Add `image:` to the container.",),
    ),
    Row(
        r"(?P<path>\S+): Unsupported value: (?P<value>\"[^\"]*\")(?:: supported values: "
        r"(?P<known>.+))?",
        "value.{leaf}",
        "{short} is {value}, which Kubernetes does not know",
        "one of: {known}",
        ("Correct `{leaf}` in the manifest.",),
    ),
    Row(
        r"(?P<path>\S+): Required value",
        "required",
        "the manifest has no {short} ({path})",
        "a manifest with {leaf}",
        ("Add `{leaf}:` to the manifest.",),
    ),
    Row(
        r"(?P<path>[\w.\[\]-]+): Duplicate value: (?P<value>\"[^\"]*\"|\S+)",
        "duplicate.{leaf}",
        "{short} {value} occurs twice",
        "a {leaf} of its own for each entry",
        ("Change one of the two in the manifest.",),
    ),
    Row(
        r"(?P<path>[\w.\[\]-]+): Invalid value: (?P<value>\"[^\"]*\"): a lowercase RFC 1123 label",
        "name-characters.{leaf}",
        "{short} is {value}, which has characters that are not allowed there",
        "lower-case letters, digits and hyphens, with a letter or digit at both ends",
        ("Correct `{leaf}` in the manifest.",),
    ),
    Row(
        r"(?P<path>[\w.\[\]-]+): (?:Invalid value: (?P<value>\"[^\"]*\"|[^\s:]+)|Forbidden): "
        r"(?P<why>.+)",
        "value.{leaf}",
        "{short}{is_value}: {why}",
        "a value of {leaf} that Kubernetes accepts",
        ("Correct `{leaf}` in the manifest.",),
    ),
)

# What the operator says of a spec from which it can make nothing (InvalidSpec).
SPEC: tuple[Row, ...] = (
    Row(
        r"containers: none is named 'tensorflow'",
        "container-name",
        "the containers are named {names}, and none is named tensorflow",
        "a container named tensorflow: by that name the operator finds the one that trains",
        ("Set `name: tensorflow` on the container that trains.",),
    ),
    Row(
        r"ReplicaType: (?P<type>\w+), Replica is missing Template",
        "template-missing",
        "the {type} has no template; only a PS may have none",
        "a template with a container named tensorflow",
        ("Add `template:` to the entry of the {type} in spec.replicaSpecs.",),
    ),
    Row(
        r"replicas: is (?P<count>-?\d+), and the (?P<type>\w+) must be exactly 1",
        "chief-count",
        "replicas of the {type} is {count}",
        "exactly one {type}: it decides when the training is over",
        ("Set `replicas: 1` for the {type}.",),
    ),
    Row(
        r"has no (?P<type>\w+), so nothing decides",
        "chief-missing",
        "no {type} among spec.replicaSpecs",
        "one replica that decides when the training is over",
        ("Add an entry with `tfReplicaType: {type}`.",),
    ),
    Row(
        r"tfReplicaType stands there twice|Duplicate value: .\"?tfReplicaType",
        "type-twice",
        "two entries of spec.replicaSpecs have the same tfReplicaType",
        "one entry for each type; `replicas` says how many",
        ("Put the two entries into one, with the sum under `replicas`.",),
    ),
    Row(
        r"MASTER and CHIEF are the same role",
        "chief-twice",
        "both a MASTER and a CHIEF among spec.replicaSpecs",
        "one of them: they are the same role",
        ("Delete one of the two entries.",),
    ),
    Row(
        r"spec\.tensorboard\.logDir: is missing",
        "log-dir",
        "spec.tensorboard has no logDir",
        "the folder that holds the summaries",
        ("Add `logDir:` under spec.tensorboard.",),
    ),
    Row(
        r"spec\.replicaSpecs: is empty",
        "no-replicas",
        "spec.replicaSpecs is empty",
        "at least a MASTER",
        ("Add an entry with `tfReplicaType: MASTER` and a template.",),
    ),
    Row(
        r"metadata\.name: (?P<why>.+)",
        "name",
        "the name cannot be used: {why}",
        "a name of lower-case letters, digits and hyphens that begins with a letter",
        ("Change metadata.name.",),
    ),
)

# What the kubelet says of a container that it cannot start.
CONTAINER: tuple[Row, ...] = (
    Row(
        r"InvalidImageName",
        "image.invalid",
        "image name {image} is not valid",
        "an image name such as {sample}",
        ("Correct `image` in the manifest: lower-case letters, no spaces, one tag.",),
    ),
    Row(
        r"CreateContainerConfigError.*(?P<kind>configmap|secret) \"(?P<name>[^\"]+)\" not found",
        "config.missing",
        "container {container} refers to {kind} {name}, which does not exist",
        "a ConfigMap or Secret under the name that the manifest uses",
        (
            "Correct the name in the manifest, or create it with the command that the page shows. "
            "These exist:",
            "$ kubectl get configmaps,secrets",
        ),
    ),
    Row(
        r"CreateContainerConfigError.*couldn't find key (?P<key>\S+) in (?P<kind>\w+) "
        r"(?P<name>\S+)",
        "config.key",
        "container {container} wants the key {key} of {kind} {name}, which has no such key",
        "a key that exists",
        ("Correct the key in the manifest.",),
    ),
    Row(
        r"CreateContainerConfigError.*(?P<why>runAsNonRoot|non-root policy|non-numeric user)",
        "security.non-root",
        "container {container} must not run as root, but would: {said}",
        "a user other than root",
        ("Set `runAsUser: 10001` under securityContext, or drop `runAsNonRoot`.",),
    ),
    Row(
        r"CreateContainerConfigError",
        "config.other",
        "container {container} cannot be set up: {said}",
        "ConfigMaps, Secrets and settings that exist",
        ("Correct what the message names in the manifest.",),
    ),
    Row(
        r"exec: \"(?P<program>[^\"]* [^\"]*)\": ",
        "program.one-text",
        '`command` of container {container} is one text with spaces: "{program}"',
        "a list with one entry for each word",
        ("Write each word of `command` as an entry of its own. Better: leave `command` out.",),
    ),
    Row(
        r"\"(?P<program>[^\" ]*\bnvidia-smi)\": (?:stat \S+: )?"
        r"(?:executable file not found|no such file or directory)",
        "program.nvidia-smi",
        "container {container} has no program {program}: it was given no driver, or has it in "
        "another folder",
        "a container with the driver's programs",
        (
            "Where you mount the driver by hand, mount its bin folder, and call nvidia-smi by its "
            "full path: the mountPath of that folder, and /nvidia-smi. Where a device plugin or a "
            "claim hands it over, see that this very container asks for the GPU.",
        ),
    ),
    Row(
        r"(?:exec: )?\"(?P<program>[^\"]*)\": (?:stat \S+: )?(?:executable file not found|no such "
        r"file or directory)",
        "program.missing",
        "the image has no program {program}, which `command` of container {container} asks for",
        "a command that exists in the image",
        ("Leave `command` out, so that the image runs its own program; options go into `args`.",),
    ),
    Row(
        r"(?:CreateContainerError|RunContainerError|StartError|ContainerCannotRun).*"
        r"permission denied",
        "program.permission",
        "container {container} has no right to run its program: {said}",
        "a program that the container's user may run",
        ("Leave `command` out, so that the image runs its own program.",),
    ),
    Row(
        r"failed to mkdir \\?\"?(?P<path>[^\"\\]+)\\?\"?: .*[Rr]ead-only file system",
        "host-path.missing",
        "the node has no folder {path} for a hostPath volume of container {container}, and none "
        "can be made there",
        "a folder that the node has",
        ("Correct the path of the hostPath volume.",),
    ),
    Row(
        r"[Rr]ead-only file system",
        "security.read-only",
        "container {container} has a read-only root file system and writes to it: {said}",
        "a folder that can be written",
        ("Mount an emptyDir volume where the program writes (the sample image: /tmp).",),
    ),
    Row(
        r"No usable temporary directory",
        "security.no-folder",
        "container {container} finds no folder that it may write to: {said}",
        "a folder that can be written",
        (
            "Mount an emptyDir volume where the program writes (the sample image: /tmp), or drop "
            "`readOnlyRootFilesystem`.",
        ),
    ),
    Row(
        r"CreateContainerError|RunContainerError|StartError|ContainerCannotRun",
        "program.other",
        "container {container} could not start its program: {said}",
        "a command that exists in the image",
        ("Leave `command` out, so that the image runs its own program; options go into `args`.",),
    ),
    Row(
        r"OOMKilled",
        "memory",
        "container {container} used more memory than its limit of {limit} and was killed "
        "(OOMKilled)",
        "a memory limit in which the training fits",
        (
            "Raise resources.limits.memory (the sample image needs about 1Gi), or lower "
            "--batch-size.",
        ),
    ),
)
