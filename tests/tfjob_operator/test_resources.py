import json

import pytest

from tests.tfjob_api.builders import parsed, replica, template
from tests.tfjob_operator.builders import CONFIG
from tfjob_operator.config import Config
from tfjob_operator.resources import Factory
from tfjob_operator.tf_config import Cluster

DISTRIBUTED = (replica("MASTER"), replica("WORKER", 2, tfPort=3333), {"tfReplicaType": "PS"})


def batch_job(job, place=0, index=0, config=CONFIG):
    return Factory(job, config).batch_job(job.replica_specs[place], index, "cm-ps-76no").build()


def container(job, place=0, index=0, config=CONFIG):
    return batch_job(job, place, index, config)["spec"]["template"]["spec"]["containers"][0]


def test_tf_config_names_every_task_and_who_reads_it():
    job = parsed(*DISTRIBUTED)
    assert json.loads(Cluster(job, CONFIG).tf_config(job.replica_specs[1], 1)) == {
        "cluster": {
            "master": ["mnist-master-76no-0:2222"],
            "ps": ["mnist-ps-76no-0:2222"],
            "worker": ["mnist-worker-76no-0:3333", "mnist-worker-76no-1:3333"],
        },
        "task": {"type": "worker", "index": 1},
        "environment": "cloud",
    }


def test_tf_config_is_written_as_in_2017():
    job = parsed()
    assert Cluster(job, CONFIG).tf_config(job.replica_specs[0], 0) == (
        '{"cluster":{"master":["mnist-master-76no-0:2222"]},'
        '"task":{"type":"master","index":0},"environment":"cloud"}'
    )


def test_a_cluster_domain_makes_the_names_fully_qualified():
    job, config = parsed(), Config(cluster_domain="cluster.local")
    assert Cluster(job, config).addresses == {
        "master": ["mnist-master-76no-0.lab.svc.cluster.local:2222"]
    }


def test_an_evaluator_is_no_part_of_the_cluster_and_knows_that_it_evaluates():
    job = parsed(replica("CHIEF"), replica("EVALUATOR"))
    result = json.loads(Cluster(job, CONFIG).tf_config(job.replica_specs[1], 0))
    assert (list(result["cluster"]), result["task"]["type"]) == (["chief"], "evaluator")


def test_a_worker_of_a_changing_number_is_told_of_itself_and_the_ps_only():
    job = parsed(*DISTRIBUTED, enableDynamicWorker=True)
    result = json.loads(Cluster(job, CONFIG).tf_config(job.replica_specs[1], 1))
    assert result["sparseCluster"] == {
        "ps": ["mnist-ps-76no-0:2222"],
        "worker": {"1": "mnist-worker-76no-1:3333"},
    }


def test_tf_config_stands_last_in_the_environment_of_tensorflow_only():
    pod = template()
    pod["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    pod["spec"]["containers"].append({"name": "sidecar", "image": "x"})
    spec = batch_job(parsed(replica("MASTER", template=pod)))["spec"]["template"]["spec"]
    assert [var["name"] for var in spec["containers"][0]["env"]] == ["A", "TF_CONFIG"]
    assert "env" not in spec["containers"][1]


def test_service_job_and_pod_have_one_name_one_owner_and_the_same_labels():
    job = parsed(*DISTRIBUTED)
    service = Factory(job, CONFIG).service(job.replica_specs[1], 1).build()
    child = batch_job(job, 1, 1)
    wanted = {
        "tensorflow.org": "",
        "job_type": "WORKER",
        "runtime_id": "76no",
        "tf_job_name": "mnist",
        "task_index": "1",
    }
    for meta in (service["metadata"], child["metadata"]):
        assert (meta["name"], meta["labels"]) == ("mnist-worker-76no-1", wanted)
        (owner,) = meta["ownerReferences"]
        assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (
            job.uid,
            True,
            True,
        )
    assert service["spec"]["selector"] == wanted
    assert child["spec"]["template"]["metadata"]["labels"] == wanted


def test_a_service_is_headless_and_publishes_what_is_not_ready():
    job = parsed()
    spec = Factory(job, CONFIG).service(job.replica_specs[0], 0).build()["spec"]
    assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)
    assert spec["ports"] == [{"name": "tf-port", "port": 2222}]


def test_a_service_has_an_address_where_the_config_says_so():
    job = parsed()
    factory = Factory(job, Config(service_type="ClusterIP"))
    assert "clusterIP" not in factory.service(job.replica_specs[0], 0).build()["spec"]


def test_a_job_runs_one_pod_and_replaces_it_only_when_it_has_ended():
    spec = batch_job(parsed(runPolicy={"backoffLimit": 3}))["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 3)
    assert spec["podReplacementPolicy"] == "Failed"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["template"]["spec"]["enableServiceLinks"] is False


def test_the_users_template_is_not_changed_by_what_is_added_to_it():
    pod = template(restartPolicy="OnFailure", enableServiceLinks=True)
    before = json.dumps(pod)
    spec = batch_job(parsed(replica("MASTER", template=pod)))["spec"]["template"]["spec"]
    assert json.dumps(pod) == before
    assert spec["enableServiceLinks"] is True


def test_a_default_ps_serves_the_cluster_from_the_config_map():
    job = parsed(*DISTRIBUTED, tfImage="mine")
    server = container(job, 2)
    assert (server["image"], server["name"]) == ("mine", "tensorflow")
    assert server["command"] == [
        "python",
        "/ps-server/grpc_tensorflow_server.py",
        "--cluster_spec",
        "master|mnist-master-76no-0:2222,ps|mnist-ps-76no-0:2222,"
        "worker|mnist-worker-76no-0:3333;mnist-worker-76no-1:3333",
        "--job_name",
        "ps",
        "--task_id",
        "0",
    ]
    made = Factory(job, CONFIG).ps_config().build()
    assert made["metadata"]["name"] == "cm-ps-76no"
    assert made["data"] == {"grpc_tensorflow_server.py": CONFIG.server_script}


def test_tensorboard_is_a_deployment_and_then_a_service():
    job = parsed(
        tensorboard={
            "logDir": "/logs",
            "volumes": [{"name": "v", "emptyDir": {}}],
            "volumeMounts": [{"name": "v", "mountPath": "/logs"}],
        }
    )
    deployment = Factory(job, CONFIG).tensorboard_deployment().build()
    service = Factory(job, CONFIG).tensorboard_service().build()
    pod = deployment["spec"]["template"]["spec"]
    board = pod["containers"][0]
    assert [made["metadata"]["name"] for made in (deployment, service)] == [
        "mnist-tensorboard-76no"
    ] * 2
    assert board["command"][:3] == ["tensorboard", "--logdir", "/logs"]
    assert {"name": "v", "mountPath": "/logs"} in board["volumeMounts"]
    assert {"name": "v", "emptyDir": {}} in pod["volumes"]
    assert service["spec"]["ports"] == [{"name": "tb-port", "port": 80, "targetPort": 6006}]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("place", [0, 1])
def test_what_the_operator_runs_by_itself_is_restricted(place):
    job = parsed(replica("MASTER"), {"tfReplicaType": "PS"}, tensorboard={"logDir": "/l"})
    board = Factory(job, CONFIG).tensorboard_deployment().build()["spec"]["template"]["spec"]
    runs = [board["containers"][0], container(job, 1)][place]["securityContext"]
    wanted = {
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert wanted.items() <= runs.items()
    assert runs["runAsUser"] > 0
    assert runs["seccompProfile"] == {"type": "RuntimeDefault"}


POLICY = {"priorityClass": "high", "queue": "gpus", "minAvailable": 4}


def gang(scheduler, **policy):
    """The PodGroup of a job with that scheduler, and one of its Pods' templates."""
    job = parsed(*DISTRIBUTED, runPolicy={"schedulingPolicy": policy})
    config = Config(gang_scheduling=scheduler)
    group = Factory(job, config).pod_group().build() if scheduler else None
    return group, batch_job(job, config=config)["spec"]["template"]


def test_without_a_gang_scheduler_only_the_priority_class_is_passed_on():
    _, pod = gang("", **POLICY)
    assert pod["spec"]["priorityClassName"] == "high"
    assert "schedulingGroup" not in pod["spec"]
    assert [*pod["metadata"]["annotations"]] == ["tensorflow.org/tfjob-uid"]


@pytest.mark.parametrize(("policy", "count"), [(POLICY, 4), ({}, 4), ({"minAvailable": 2}, 2)])
def test_kubernetes_own_gang_is_a_pod_group_that_the_pods_name(policy, count):
    group, pod = gang("kubernetes", **policy)
    assert (group["apiVersion"], group["kind"]) == ("scheduling.k8s.io/v1beta1", "PodGroup")
    assert group["spec"]["schedulingPolicy"] == {"gang": {"minCount": count}}
    assert pod["spec"]["schedulingGroup"] == {"podGroupName": group["metadata"]["name"]}
    assert "schedulerName" not in pod["spec"]


def test_a_gang_has_no_more_pods_than_have_not_ended():
    job = parsed(*DISTRIBUTED, status={"completedIndexes": {"WORKER": "0,7", "PS": "0"}})
    config = Config(gang_scheduling="kubernetes")
    group = Factory(job, config).pod_group().build()
    assert group["spec"]["schedulingPolicy"] == {"gang": {"minCount": 2}}


@pytest.mark.parametrize("scheduler", ["", "kubernetes", "volcano"])
def test_a_gang_that_could_never_start_is_refused_where_there_are_gangs(scheduler):
    config = Config(gang_scheduling=scheduler)
    jobs = [
        parsed(*DISTRIBUTED, runPolicy={"schedulingPolicy": {"minAvailable": least}}, **more)
        for least, more in [(4, {}), (5, {}), (5, {"enableDynamicWorker": True})]
    ]
    sentence = "spec.runPolicy.schedulingPolicy.minAvailable: is 5, and the job has 4 replicas"
    problems = [Factory(job, config).problem() for job in jobs]
    assert problems == ["", sentence if scheduler else "", ""]


def test_volcanos_gang_has_its_group_its_annotation_and_its_scheduler():
    group, pod = gang("volcano", **POLICY)
    assert group["apiVersion"] == "scheduling.volcano.sh/v1beta1"
    assert group["spec"] == {"minMember": 4, "queue": "gpus", "priorityClassName": "high"}
    assert pod["spec"]["schedulerName"] == "volcano"
    name = pod["metadata"]["annotations"]["scheduling.k8s.io/group-name"]
    assert name == group["metadata"]["name"]


def test_labels_and_annotations_of_the_template_reach_the_pod():
    noted = {**template(), "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}
    meta = batch_job(parsed(replica("MASTER", template=noted)))["spec"]["template"]["metadata"]
    assert (meta["labels"]["a"], meta["annotations"]["c"]) == ("b", "d")


def test_what_the_operator_runs_itself_has_the_resources_of_the_config_and_no_token():
    limits = {"limits": {"cpu": "1"}}
    config = Config(ps_resources=limits, tensorboard_resources=limits)
    job = parsed(*DISTRIBUTED, tensorboard={"logDir": "/l"})
    board = Factory(job, config).tensorboard_deployment().build()["spec"]["template"]["spec"]
    server = batch_job(job, 2, config=config)["spec"]["template"]["spec"]
    for pod in (board, server):
        assert pod["containers"][0]["resources"] == limits
        assert pod["automountServiceAccountToken"] is False


# ------------------------------------------------------------------ one Indexed Job per type

BIG = (replica("MASTER"), replica("WORKER", 21), {"tfReplicaType": "PS", "layout": "Indexed"})


def expanded(value, pod, index, maps):
    """What the kubelet makes of $(NAME) in a value, by the variables of the container."""
    for variable in pod["containers"][0]["env"]:
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            assert "job-completion-index" in source["fieldRef"]["fieldPath"]
            value = value.replace(f"$({variable['name']})", str(index))
        if "configMapKeyRef" in source:
            read = maps[source["configMapKeyRef"]["name"]][source["configMapKeyRef"]["key"]]
            value = value.replace(f"$({variable['name']})", read)
    return value


def indexed(job, place, config=CONFIG):
    """One type's Indexed Job, and the data of the cluster's ConfigMap by its name."""
    factory = Factory(job, config)
    cluster = factory.cluster_config().build()
    made = factory.batch_job(job.replica_specs[place], None, "cm-ps-76no").build()
    return made, {cluster["metadata"]["name"]: cluster["data"]}


def test_an_indexed_job_tells_each_of_its_pods_what_a_job_of_its_own_would():
    alone = parsed(*[{**each, "layout": "PerReplica"} for each in BIG])
    made, maps = indexed(parsed(*BIG), 1)
    pod = made["spec"]["template"]["spec"]
    last = pod["containers"][0]["env"][-1]
    assert last["name"] == "TF_CONFIG"
    for index in (0, 20):
        result = expanded(last["value"], pod, index, maps)
        assert result == Cluster(alone, CONFIG).tf_config(alone.replica_specs[1], index)


def test_its_pods_have_the_names_that_tf_config_says():
    made, _ = indexed(parsed(*BIG), 1)
    spec, pod = made["spec"], made["spec"]["template"]["spec"]
    assert (made["metadata"]["name"], spec["completionMode"]) == ("mnist-worker-76no", "Indexed")
    assert (spec["completions"], spec["parallelism"]) == (21, 21)
    service = Factory(parsed(*BIG), CONFIG).job_service().build()
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"
    assert (
        service["spec"]["selector"].items()
        <= made["spec"]["template"]["metadata"]["labels"].items()
    )
    assert "task_index" not in made["metadata"]["labels"]


def test_every_pod_of_the_job_searches_the_jobs_domain():
    job, config = parsed(*BIG), Config(dns_domain="cluster.example")
    wanted = "mnist-76no.lab.svc.cluster.example"
    pods = [indexed(job, 1, config)[0], batch_job(job, 0, config=config)]
    for made in pods:
        assert made["spec"]["template"]["spec"]["dnsConfig"]["searches"] == [wanted]
    assert "dnsConfig" not in batch_job(parsed())["spec"]["template"]["spec"]


def test_an_indexed_default_ps_serves_the_same_cluster():
    made, maps = indexed(parsed(*BIG), 2)
    pod = made["spec"]["template"]["spec"]
    command = [expanded(word, pod, 0, maps) for word in pod["containers"][0]["command"]]
    alone = parsed(*[{**each, "layout": "PerReplica"} for each in BIG])
    assert command == container(alone, 2)["command"]


def test_a_cluster_that_no_process_can_be_started_with_is_refused_with_a_sentence():
    name = "wide-and-deep-click-through-prediction-a"
    few = parsed(replica("MASTER"), replica("WORKER", 1000), replica("PS", 800), name=name)
    many = parsed(replica("MASTER"), replica("WORKER", 1000), replica("PS", 999), name=name)
    assert Factory(few, CONFIG).problem() == ""
    assert "TF_CONFIG would have 121 KiB" in Factory(many, CONFIG).problem()
