import json

import pytest

from tests.tfjob_operator.builders import CONFIG, parsed, replica, template
from tfjob_operator import resources
from tfjob_operator.config import Config

DISTRIBUTED = (replica("MASTER"), replica("WORKER", 2, tfPort=3333), {"tfReplicaType": "PS"})


def batch_job(job, place=0, index=0, config=CONFIG):
    return resources.batch_job(job, job.replicas[place], index, config)


def container(job, place=0, index=0, config=CONFIG):
    return batch_job(job, place, index, config)["spec"]["template"]["spec"]["containers"][0]


def test_tf_config_names_every_task_and_who_reads_it():
    job = parsed(*DISTRIBUTED)
    assert json.loads(resources.tf_config(job, job.replicas[1], 1, CONFIG)) == {
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
    assert resources.tf_config(job, job.replicas[0], 0, CONFIG) == (
        '{"cluster":{"master":["mnist-master-76no-0:2222"]},'
        '"task":{"type":"master","index":0},"environment":"cloud"}'
    )


def test_a_cluster_domain_makes_the_names_fully_qualified():
    job, config = parsed(), Config(cluster_domain="cluster.local")
    assert resources.cluster(job, config) == {
        "master": ["mnist-master-76no-0.lab.svc.cluster.local:2222"]
    }


def test_an_evaluator_is_no_part_of_the_cluster_and_knows_that_it_evaluates():
    job = parsed(replica("CHIEF"), replica("EVALUATOR"))
    told = json.loads(resources.tf_config(job, job.replicas[1], 0, CONFIG))
    assert (list(told["cluster"]), told["task"]["type"]) == (["chief"], "evaluator")


def test_a_worker_of_a_changing_number_is_told_of_itself_and_the_ps_only():
    job = parsed(*DISTRIBUTED, enableDynamicWorker=True)
    told = json.loads(resources.tf_config(job, job.replicas[1], 1, CONFIG))
    assert told["sparseCluster"] == {
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
    service = resources.service(job, job.replicas[1], 1, CONFIG)
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
    spec = resources.service(job, job.replicas[0], 0, CONFIG)["spec"]
    assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)
    assert spec["ports"] == [{"name": "tf-port", "port": 2222}]


def test_a_service_has_an_address_where_the_config_says_so():
    job = parsed()
    spec = resources.service(job, job.replicas[0], 0, Config(service_type="ClusterIP"))["spec"]
    assert "clusterIP" not in spec


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
    made = resources.config_map(job, CONFIG)
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
    deployment = resources.tensorboard_deployment(job, CONFIG)
    service = resources.tensorboard_service(job)
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
    board = resources.tensorboard_deployment(job, CONFIG)["spec"]["template"]["spec"]
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


def test_the_scheduling_policy_is_passed_on():
    policy = {"priorityClass": "high", "queue": "gpus", "minAvailable": 4}
    made = batch_job(parsed(runPolicy={"schedulingPolicy": policy}))["spec"]["template"]
    assert made["spec"]["priorityClassName"] == "high"
    assert made["metadata"]["annotations"] == {
        "scheduling.volcano.sh/queue-name": "gpus",
        "scheduling.volcano.sh/group-min-member": "4",
    }
