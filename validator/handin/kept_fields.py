"""The list of what a snapshot file keeps, by kind: the fields that the checks read.

A rule says what becomes of a field. ``pruning`` applies it, ``whitelist`` says
to which objects. A new check that reads another field needs it here.
"""

from __future__ import annotations

import re
from typing import Any

from validator.handin.own_work import MARK
from validator.operator_release import CONFIG_KEY
from validator.tfjobs import GPU_RESOURCES, PRUNED_AT

Field = Any

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"

# Kept as it is; kept where it is neither list nor map; by a rule of its own.
WHOLE, PLAIN, LABELS, POD = "whole", "plain", "labels", "pod"
# A Pod, and the account that it runs as.
SERVER = "server"
EVERY_OTHER = "*"
# Stands for what is not kept of a map, where nothing is: it was not empty.
OTHER = {"other": True}


def fields(plain: str, **more: Field) -> dict[str, Field]:
    """A map of which these plain fields are kept, and more by their own rule."""
    return {**dict.fromkeys(plain.split(), PLAIN), **more}


METADATA = fields(
    "name namespace uid creationTimestamp deletionTimestamp generation",
    labels=LABELS,
    annotations=fields(f"{MARK[-1]} {PRUNED_AT} hub.jupyter.org/username"),
    ownerReferences=[fields("kind name uid controller")],
)
CONDITIONS = [fields("type status reason message lastTransitionTime")]
STATE = {
    "waiting": fields("reason message"),
    "running": fields("startedAt"),
    "terminated": fields("exitCode reason message startedAt finishedAt"),
}
STATUSES = [fields("name started ready", state=STATE, lastState=STATE)]
MOUNTS = [fields("name mountPath subPath readOnly")]
CONTAINERS = [
    fields(
        "name image imagePullPolicy restartPolicy workingDir",
        command=WHOLE,
        args=WHOLE,
        env=[fields("name value", valueFrom={"secretKeyRef": {}, "configMapKeyRef": {}})],
        envFrom=[{}],
        resources={
            **dict.fromkeys(("limits", "requests", *GPU_RESOURCES), WHOLE),
            "claims": [fields("name")],
        },
        ports=[fields("name containerPort")],
        readinessProbe=fields("", httpGet=fields("path port"), tcpSocket=fields("port"), exec={}),
        volumeMounts=MOUNTS,
        securityContext=fields("runAsUser"),
    )
]
# Of what kind each is, and where on the node, or of which claim.
VOLUMES = [
    {
        **fields(
            "name", hostPath=fields("path"), persistentVolumeClaim=fields("claimName readOnly")
        ),
        EVERY_OTHER: {},
    }
]
POD_SPEC = fields(
    "nodeName priority priorityClassName terminationGracePeriodSeconds",
    securityContext=fields("runAsUser"),
    schedulingGroup=fields("podGroupName"),
    nodeSelector=WHOLE,
    containers=CONTAINERS,
    initContainers=CONTAINERS,
    resourceClaims=[fields("name resourceClaimName resourceClaimTemplateName")],
    volumes=VOLUMES,
)
SERVER_SPEC = {**POD_SPEC, "serviceAccountName": PLAIN}
TEMPLATE = {"metadata": {}, "spec": POD}
DEVICE_REQUEST = fields(
    "deviceClassName",
    selectors=[{"cel": fields("expression")}],
    capacity={"requests": fields("memory")},
)
DEVICE_REQUESTS = [fields("name", exactly=DEVICE_REQUEST, firstAvailable=[DEVICE_REQUEST])]
AMOUNTS = dict.fromkeys(GPU_RESOURCES, WHOLE)
# Of other Pods of the namespace that have a GPU: which they are, and how many they hold.
HOLDER = {
    "kind": PLAIN,
    "metadata": fields("name"),
    "spec": fields(
        "nodeName",
        containers=[{"resources": {"limits": AMOUNTS, "requests": AMOUNTS}}],
        resourceClaims=[fields("name")],
    ),
    "status": fields("phase"),
}

# By kind, beside ``kind`` and ``metadata``.
KEPT: dict[str, dict[str, Field]] = {
    "tfjobs": {
        "metadata": {**METADATA, "managedFields": [fields("manager operation subresource")]},
        "spec": fields(
            "tfImage",
            replicaSpecs=[fields("replicas tfReplicaType", template=TEMPLATE)],
            tensorboard=fields("logDir", volumes=VOLUMES, volumeMounts=MOUNTS),
            runPolicy=fields("suspend managedBy cleanPodPolicy"),
        ),
        "status": fields(
            "phase state reason runtimeId startTime completionTime", conditions=CONDITIONS
        ),
    },
    "jobs": {
        "spec": fields("suspend completions", template=TEMPLATE),
        "status": fields("active failed startTime completionTime", conditions=CONDITIONS),
    },
    "pods": {
        "spec": POD,
        "status": fields(
            "phase reason message startTime",
            conditions=CONDITIONS,
            containerStatuses=STATUSES,
            initContainerStatuses=STATUSES,
            resourceClaimStatuses=[fields("name")],
        ),
    },
    "deployments": {
        "spec": fields(
            "replicas",
            selector={"matchLabels": WHOLE},
            strategy=fields("type"),
            template={"metadata": {}, "spec": SERVER},
        ),
        "status": fields(
            "observedGeneration readyReplicas updatedReplicas",
            conditions=CONDITIONS,
        ),
    },
    "services": {"spec": fields("type", selector=WHOLE, ports=[fields("name port targetPort")])},
    "replicasets": {},
    "endpointslices": {"endpoints": [{"targetRef": fields("kind name uid")}]},
    "persistentvolumeclaims": {
        "spec": fields("storageClassName"),
        "status": fields("phase"),
    },
    "helm": {},
    "resourceclaimtemplates": {"spec": {"spec": {"devices": {"requests": DEVICE_REQUESTS}}}},
    "resourceslices": {
        "spec": fields("driver", devices=[fields("name", capacity={"memory": fields("value")})])
    },
    "deviceclasses": {},
    "horizontalpodautoscalers": {
        "spec": fields(
            "minReplicas maxReplicas",
            scaleTargetRef=fields("apiVersion kind name"),
            metrics=[
                fields(
                    "type",
                    resource=fields("name", target=fields("type averageUtilization")),
                )
            ],
        ),
        "status": fields("lastScaleTime", conditions=CONDITIONS),
    },
    "podgroups": {
        "spec": {"schedulingPolicy": {"gang": fields("minCount"), "basic": {}}},
        "status": fields("", conditions=CONDITIONS),
    },
    "serviceaccounts": {},
    "roles": {"rules": [dict.fromkeys(("apiGroups", "resources", "verbs"), WHOLE)]},
    "rolebindings": {
        "roleRef": fields("kind name"),
        "subjects": [fields("kind name namespace")],
    },
    "priorityclasses": fields("value preemptionPolicy", metadata=fields("name")),
    "events": fields(
        "reason message type firstTimestamp lastTimestamp eventTime",
        metadata={},
        involvedObject=fields("kind name uid"),
    ),
    "nodes": {
        "spec": fields("unschedulable", taints=[fields("key effect")]),
        "status": {
            "allocatable": WHOLE,
            "nodeInfo": fields("kubeletVersion"),
            "conditions": [fields("type status lastTransitionTime")],
            "images": [{"names": WHOLE}],
        },
    },
    "storageclasses": {"metadata": fields("name", annotations=fields(DEFAULT_CLASS))},
    "dns": {"endpoints": [{"conditions": fields("ready")}]},
    "customresourcedefinitions": {"status": {"conditions": CONDITIONS}},
    # Of the container engine, the reader reads what belongs to module 1 alone.
    "engine": {},
    "images": {
        "spec": {
            **fields("user"),
            **dict.fromkeys(("names", "entrypoint", "cmd", "layers"), WHOLE),
        },
        "status": fields("size"),
    },
    "containers": {
        "spec": fields("image imageId", commandLine=WHOLE, args=WHOLE),
        "status": fields("state exitCode error startedAt finishedAt"),
    },
    "configmaps": {"data": fields(CONFIG_KEY)},
    "leases": {"spec": fields("renewTime")},
}
# Of what could be a near miss: that it is there.
BARE = {"kind": PLAIN, "metadata": METADATA}
# Beside those that a selector of the learner's own names.
KEPT_LABELS = re.compile(
    r"sweep|best|job_type|tf_job_name|task_index|runtime_id|pod-template-hash|owner|name|status|version|"
    r"(?:[\w-]+\.)*(?:kubernetes\.io|nvidia\.com)/[\w.-]+"
)
