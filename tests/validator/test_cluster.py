"""The only reader: what it asks for, for which exercise, and what it makes of refusals."""

import json

import pytest
import yaml

from tests.validator import world
from tests.validator.api_server import Reply, serve
from validator import cluster
from validator.checks import answers, ends_well, exists
from validator.engine import EXERCISES, Exercise
from validator.exercises import module5, module6  # noqa: F401 (registers the exercises)
from validator.kubeconfig import NoCluster, connect
from validator.snapshot import Snapshot, Unreadable
from validator.subjects import Claim, Deployment, Image, Job, Release, Service

SPACE = "/api/v1/namespaces/learner"
APPS = "/apis/apps/v1/namespaces/learner"
TFJOBS = "/apis/tensorflow.org/v1alpha1/namespaces"
EVERYWHERE = "/apis/apps/v1/deployments"
DATE = "Sat, 31 Jan 2026 12:00:00 GMT"


def of_learner(item, **more):
    return {**item, "metadata": {**item["metadata"], "namespace": "learner"}, **more}


TFJOB = of_learner(world.tfjob())
JOB = of_learner(world.job(world.CHILD, TFJOB))
POD = of_learner(world.child_pod(JOB))
LOG = f"{SPACE}/pods/{world.POD}/log"


@pytest.fixture
def api():
    with serve() as server:
        yield server


@pytest.fixture
def data(api, tmp_path):
    """Read what an exercise's checks read: its number, or the exercise itself."""

    def reading(*numbers, context=None, namespace=None, **user):
        chosen = [EXERCISES[n] if isinstance(n, str) else n for n in numbers or ("5.1",)]
        path = str(api.kubeconfig(tmp_path, **user))
        return cluster.read(connect(path, context, namespace), chosen)

    return reading


@pytest.fixture
def read(data):
    return lambda *numbers, **more: Snapshot(data(*numbers, **more))


def made(api, *pods, job=JOB):
    """The learner's TfJob with its Job and these Pods."""
    api.answers |= {
        f"{TFJOBS}/learner/tfjobs": [TFJOB],
        "/apis/batch/v1/namespaces/learner/jobs": [job],
        f"{SPACE}/pods": list(pods) or [POD],
    }


def kinds(api):
    """The last part of the path of everything that was asked for."""
    return {path.rsplit("/", 1)[-1] for path, _, _ in api.seen}


def exercise(subject, *checks):
    return Exercise("9.9", "t", "9-x#y", subject, list(checks))


def test_objects_and_logs_come_into_the_snapshot(api, read):
    made(api)
    api.answers[LOG] = "2026-01-31T12:00:00Z hello\n"
    seen = read()
    log = seen.log(seen.items("pods")[0], "tensorflow")
    assert [line.text for line in log.lines] == ["hello"]
    assert (log.cut, seen.namespace, seen.context) == (False, "learner", "here")


def test_only_lists_logs_and_namespaces_are_read_and_secrets_only_as_metadata(api, read):
    read("5.0", "5.1", "6.1", "6.2")
    assert any("secrets" in path for path, _, _ in api.seen)
    for path, _, accept in api.seen:
        assert "secrets" not in path or "PartialObjectMetadata" in accept


def test_no_list_of_all_pods_or_tfjobs_of_the_cluster(api, read):
    """The operator is found by its Deployment's name, and nothing else beyond the namespace."""
    read("5.0", "5.1", "6.1", "6.2")
    paths = {path for path, _, _ in api.seen}
    assert not paths & {"/api/v1/pods", "/apis/tensorflow.org/v1alpha1/tfjobs", "/api/v1/secrets"}
    assert [whole for path, whole, _ in api.seen if path == EVERYWHERE] == [
        f"{EVERYWHERE}?fieldSelector=metadata.name=tf-job-operator"
    ]


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        pytest.param(
            exercise(Image("a/b:1"), exists()),
            {"nodes", "learner"},
            id="an image: the nodes, and whether the namespace is there",
        ),
        pytest.param(exercise(Service("web")), {"services", "pods"}, id="a Service"),
        pytest.param(exercise(Claim("models")), {"persistentvolumeclaims", "events"}, id="a claim"),
        pytest.param(exercise(Release("mine")), {"secrets"}, id="a Helm release"),
        pytest.param(exercise(Job("a")), {"jobs", "pods", "events", "apis"}, id="a Job"),
        pytest.param(
            exercise(Deployment("a")),
            {"deployments", "replicasets", "pods", "events", "apis"},
            id="a Deployment",
        ),
    ],
)
def test_nothing_is_read_that_no_check_reads(api, read, chosen, wanted):
    seen = chosen.subject.plural
    api.answers = {f"{SPACE}/{seen}": [{"metadata": {"name": "x"}}]}
    read(chosen)
    near = set(cluster.NEAR_MISSES) if "near misses" in chosen.reads else set()
    assert kinds(api) - near == wanted


def test_the_operator_alone_takes_few_requests(api, read):
    read("5.0")
    assert api.requests <= 8
    assert not {"events", "services", "persistentvolumeclaims"} & kinds(api)


def test_near_misses_are_read_only_where_the_object_is_missing(api, read):
    read()
    assert {"cronjobs", "statefulsets", "daemonsets", "replicasets"} <= kinds(api)
    api.seen.clear()
    made(api)
    read()
    assert not {"cronjobs", "statefulsets", "daemonsets", "replicasets"} & kinds(api)


def test_kubeflows_kind_is_read_only_where_it_is_served(api, read):
    read()
    assert not any("kubeflow" in path for path, _, _ in api.seen)
    api.answers["/apis"] = json.dumps({"groups": [{"name": "kubeflow.org"}]})
    seen = read()
    assert "/apis/kubeflow.org/v1/namespaces/learner/tfjobs" in {path for path, _, _ in api.seen}
    assert seen.serves_group("kubeflow.org")


def test_a_namespace_that_does_not_exist_is_noted(api, data):
    api.answers[SPACE] = 404
    assert data()["missing"]["namespace"]["status"] == 404


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_kind_that_is_refused_stops_nothing_else(api, read, status):
    made(api)
    api.answers |= {"/api/v1/nodes": status, LOG: status}
    seen = read()
    assert len(seen.items("pods")) == 1
    with pytest.raises(Unreadable, match=f"refused with {status}"):
        seen.items("nodes")
    with pytest.raises(Unreadable):
        seen.log(POD, "tensorflow")


def test_an_api_without_tfjobs_does_not_serve_them(api, read):
    api.answers = {f"{TFJOBS}/learner/tfjobs": 404}
    assert not read().served("tfjobs")


def test_without_rights_elsewhere_the_operator_is_looked_for_at_home(api, read):
    deployment = of_learner(world.deployment("tf-job-operator"))
    config = {"metadata": {"name": "tf-job-operator-config", "namespace": "learner"}}
    chosen = exercise(Deployment("tf-job-operator"), *EXERCISES["5.0"].checks)
    api.answers = {
        EVERYWHERE: 403,
        f"{APPS}/deployments": [deployment],
        f"{SPACE}/configmaps": [config],
    }
    seen = read(chosen)
    assert [d["metadata"]["name"] for d in seen.items("deployments", "operator")]
    assert seen.items("configmaps", "operator") == [config]


def test_the_operators_own_objects_are_read_in_its_namespace(api, read):
    deployment = world.deployment("tf-job-operator")
    deployment["metadata"]["namespace"] = "ops"
    api.answers = {EVERYWHERE: [deployment], "/api/v1/namespaces/ops/configmaps": []}
    read("5.0")
    asked = {path for path, _, _ in api.seen}
    assert {"/api/v1/namespaces/ops/pods", "/api/v1/namespaces/ops/configmaps"} <= asked


def test_large_fields_that_no_check_reads_are_left_out(api, read):
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    metadata = {"name": "n", "managedFields": [1], "annotations": {**last, "a": "b"}}
    images = [{"names": ["a:1"], "sizeBytes": 5}]
    api.answers = {"/api/v1/nodes": [{"metadata": metadata, "status": {"images": images}}]}
    (node,) = read().items("nodes")
    assert node["metadata"] == {"name": "n", "annotations": {"a": "b"}}
    assert node["status"] == {"images": [{"names": ["a:1"]}]}


@pytest.mark.parametrize(
    ("default", "words"),
    [
        pytest.param(401, "rejected your login", id="wrong credentials"),
        pytest.param(Reply(401, "<html>"), "rejected your login", id="another's login page"),
    ],
)
def test_no_answer_that_helps_is_no_cluster(api, read, default, words):
    api.default = default
    with pytest.raises(NoCluster, match=words):
        read()


def test_nobody_listening_is_no_cluster(tmp_path):
    with serve() as api:
        path = api.kubeconfig(tmp_path)
    with pytest.raises(NoCluster, match="no answer from") as caught:
        cluster.read(connect(str(path), None, None), [EXERCISES["5.1"]])
    assert "make lab" in caught.value.next_step


@pytest.mark.parametrize("default", ["<html>hello</html>", "[]", "5", ""])
def test_whatever_a_stranger_answers_nothing_raises(api, read, default):
    api.default = Reply(200, default)
    read("5.0", "5.1", "6.1")


def test_a_token_is_sent_and_not_kept(api, data):
    kept = data(token="s3cr3t")
    assert {head["Authorization"] for head in api.heads} == {"Bearer s3cr3t"}
    assert "s3cr3t" not in str(kept)


def test_a_name_that_is_a_path_stays_one_name(api, read):
    hostile = {**POD, "metadata": {**POD["metadata"], "name": "../../secrets?x"}}
    made(api, hostile)
    read()
    logs = [whole for _, whole, _ in api.seen if "/log?" in whole]
    assert logs[0].startswith(f"{SPACE}/pods/..%2F..%2Fsecrets%3Fx/log?")


def test_the_time_is_the_servers_own(api, read):
    """A laptop's clock may be wrong; the server's Date header is its own time."""
    api.default = lambda: Reply(200, '{"items": []}', {"Date": DATE})
    assert read().taken.isoformat() == "2026-01-31T12:00:00+00:00"


# Logs


def lines(first, last):
    return "".join(f"2026-01-31T12:00:00.{n:06d}Z line {n}\n" for n in range(first, last))


@pytest.fixture
def long_log(api):
    """Serve a log of so many lines, as the API cuts it: limitBytes its end, tailLines its head."""

    def serving(count):
        written = lines(0, count)

        def answer():
            query = api.seen[-1][1]
            if "tailLines" in query:
                return "".join(written.splitlines(keepends=True)[-cluster.TAIL_LINES :])
            return written[: cluster.HEAD_BYTES]

        made(api)
        api.answers[LOG] = answer

    return serving


@pytest.mark.parametrize(
    ("count", "cut"),
    [
        pytest.param(3, False, id="short"),
        pytest.param(1_600, False, id="longer than the head, and joined by the tail"),
        pytest.param(20_000, True, id="so long that its middle is not read"),
    ],
)
def test_a_log_is_its_head_and_its_tail_and_says_when_it_is_cut(long_log, read, count, cut):
    long_log(count)
    log = read().log(POD, "tensorflow")
    texts = [line.text for line in log.lines]
    assert (texts[0], texts[-1], log.cut) == ("line 0", f"line {count - 1}", cut)
    assert len(set(texts)) == len(texts)
    assert cut or len(texts) == count


def test_no_line_of_a_long_log_is_cut_in_two(long_log, read):
    long_log(20_000)
    assert all(line.text.startswith("line ") for line in read().log(POD, "tensorflow").lines)


def test_twenty_six_other_pods_hide_no_log_of_the_exercises_own(api, read):
    """A sweep of a parameter, later and newer; only the exercise's own logs are read."""
    sweep = of_learner(world.job("sweep"))
    later = [of_learner(world.pod(f"sweep-{n}", sweep, world.terminated(0))) for n in range(26)]
    for pod in later:
        pod["metadata"]["creationTimestamp"] = "2026-01-31T13:00:00Z"
    made(api, *later, POD)
    api.answers["/apis/batch/v1/namespaces/learner/jobs"] = [JOB, sweep]
    api.answers[LOG] = "2026-01-31T12:00:00Z hello\n"
    seen = read()
    assert [line.text for line in seen.log(POD, "tensorflow").lines] == ["hello"]
    assert {path for path, _, _ in api.seen if path.endswith("/log")} == {LOG}


def test_a_log_that_was_not_read_is_not_an_empty_one(api, read):
    made(api)
    with pytest.raises(Unreadable, match="not part of what was read"):
        read().log(POD, "side-car")


@pytest.mark.parametrize(
    ("status", "containers"),
    [
        pytest.param({"initContainerStatuses": [{"name": "prepare", "state": {"running": {}},
                                                 "started": True}]},
                     {"prepare"}, id="an init container that keeps the others waiting"),
        pytest.param({"initContainerStatuses": [{"name": "native", "state": {"running": {}},
                                                 "started": True}],
                      "containerStatuses": [world.at_work()]},
                     {"tensorflow"}, id="not a native side-car"),
        pytest.param({"containerStatuses": [world.at_work(), {"name": "side", "state": {
                          "terminated": {"exitCode": 1}}}]},
                     {"tensorflow", "side"}, id="a container that failed"),
        pytest.param({"containerStatuses": [world.waiting("ContainerCreating")]}, set(),
                     id="none that has not begun"),
    ],
)  # fmt: skip
def test_whose_log_is_read(api, read, status, containers):
    spec = {
        "containers": [world.container()],
        "initContainers": [{"name": "prepare"}, {"name": "native", "restartPolicy": "Always"}],
    }
    made(api, {**POD, "spec": spec, "status": status})
    read()
    asked = {whole for _, whole, _ in api.seen if "/log?" in whole}
    assert {name for name in ("prepare", "native", "tensorflow", "side")
            if any(f"container={name}&" in each for each in asked)} == containers  # fmt: skip


# Other namespaces


def contexts(api, tmp_path, *namespaces):
    """A kubeconfig whose contexts name these namespaces of the same cluster."""
    path = api.kubeconfig(tmp_path)
    config = yaml.safe_load(path.read_text())
    for space in namespaces:
        context = {"cluster": "c", "user": "u", "namespace": space}
        config["contexts"].append({"name": f"to-{space}", "context": context})
    path.write_text(json.dumps(config))
    return str(path)


def test_elsewhere_is_one_get_by_name_in_the_contexts_namespaces_and_default(api, tmp_path):
    found = {f"{TFJOBS}/ann/tfjobs/module5-ex1": Reply(200, "{}")}
    api.answers = {**found, f"{TFJOBS}/default/tfjobs/module5-ex1": 403}
    path = contexts(api, tmp_path, "ann")
    seen = Snapshot(cluster.read(connect(path, None, None), [EXERCISES["5.1"]]))
    asked = {path for path, _, _ in api.seen if path.startswith(TFJOBS)}
    assert asked == {
        f"{TFJOBS}/learner/tfjobs",
        f"{TFJOBS}/ann/tfjobs/module5-ex1",
        f"{TFJOBS}/default/tfjobs/module5-ex1",
    }
    assert seen.namespaces_with("tfjobs", "module5-ex1") == ["ann"]


def test_nothing_is_looked_for_elsewhere_once_it_is_here(api, tmp_path):
    made(api)
    path = contexts(api, tmp_path, "ann")
    cluster.read(connect(path, None, None), [EXERCISES["5.1"]])
    assert not [path for path, _, _ in api.seen if "/namespaces/ann/" in path]


def spaces(*names, **labels):
    return [{"metadata": {"name": name, "labels": labels}} for name in names]


@pytest.mark.parametrize(
    ("of_class", "graded"),
    [
        pytest.param([], ["ann", "default", "kube-system"], id="no class: all of them"),
        pytest.param(["bob", "ann"], ["ann", "bob"], id="a class: its own alone"),
    ],
)
def test_an_instructor_grades_the_namespaces_of_the_class(api, tmp_path, of_class, graded):
    there = spaces("kube-system", "default", *([] if of_class else ["ann"]))
    there += spaces(*of_class, **{cluster.CLASS_LABEL: "learner"})
    api.answers["/api/v1/namespaces"] = there
    assert cluster.namespaces(connect(str(api.kubeconfig(tmp_path)), None, None)) == graded


# Servers


SERVER = exercise(
    Deployment("web"), ends_well(), answers("web", "80", "health", "ok", "the word ok")
)
PROXY = f"{SPACE}/services/web:80/proxy/health"


def at_proxy(api, answer):
    """The path as it is sent, with its colon quoted or not."""
    api.answers |= {PROXY: answer, PROXY.replace(":", "%3A"): answer}


def test_a_servers_answer_comes_through_the_proxy(api, read):
    at_proxy(api, Reply(200, "all ok"))
    assert read(SERVER).answer("web:80/health") == (200, "all ok")


def test_a_servers_own_refusal_is_its_answer(api, read):
    at_proxy(api, Reply(403, "who are you?"))
    assert read(SERVER).answer("web:80/health") == (403, "who are you?")


@pytest.mark.parametrize("status", [403, 404, 503])
def test_the_api_servers_own_refusal_is_no_answer_of_the_server(api, read, status):
    """Its body is a Status: a right that is missing, a Service that is not there."""
    at_proxy(api, status)
    with pytest.raises(Unreadable) as caught:
        read(SERVER).answer("web:80/health")
    assert caught.value.status == status
