"""Module 7's programs: the search that learners complete, and the picture of all paintings."""

import importlib.util
import json
from types import SimpleNamespace

import pytest

from modules.workplace import CHECKOUT

FOLDER = CHECKOUT / "modules" / "7-hyper-param-sweeping"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def search():
    return load(FOLDER / "solution" / "search.py")


@pytest.fixture(scope="module")
def paintings():
    return load(FOLDER / "paintings.py")


class Cluster:
    """TfJobs that print what a rule says, a line at each look; a suspended one ends."""

    def __init__(self, loss):
        self.options = SimpleNamespace(max_steps=2000)
        self.loss, self.steps, self.suspended, self.made = loss, {}, {}, {}

    def create(self, number, choice):
        self.steps[number], self.made[number] = 0, choice

    def suspend(self, number, step):
        self.suspended[number] = step

    def condition(self, number):
        if number in self.suspended:
            return "Suspended"
        self.steps[number] += 200
        return "Succeeded" if self.steps[number] > 2000 else ""

    def losses(self, number):
        last = min(self.steps[number], 2000)
        rate = self.made[number]["learning_rate"]
        return {step: self.loss(rate, step) for step in range(200, last + 1, 200)}


def study_of(search):
    optuna = search.optuna
    return optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=3, n_startup_trials=6),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=500),
    )


def test_the_search_suspends_what_is_worse_than_the_median_and_finds_the_best(search, monkeypatch):
    monkeypatch.setattr(search.time, "sleep", lambda seconds: None)
    cluster = Cluster(lambda rate, step: abs(rate - 0.01) + 1 / step)
    study = study_of(search)
    search.search(study, cluster, trials=12, parallel=4)
    whole = [number for number in cluster.made if number not in cluster.suspended]
    best = min(whole, key=lambda number: abs(cluster.made[number]["learning_rate"] - 0.01))
    assert sorted(cluster.made) == list(range(12))
    assert 1 <= len(cluster.suspended) <= 8
    assert all(600 <= step < 2000 for step in cluster.suspended.values())
    assert study.best_trial.number == best


def test_no_more_trials_are_at_work_than_asked_for(search, monkeypatch):
    monkeypatch.setattr(search.time, "sleep", lambda seconds: None)
    cluster, at_once = Cluster(lambda rate, step: rate), []
    create = cluster.create

    def counted(number, choice):
        create(number, choice)
        over = [n for n in cluster.made if cluster.steps[n] > 2000 or n in cluster.suspended]
        at_once.append(len(cluster.made) - len(over))

    monkeypatch.setattr(cluster, "create", counted)
    search.search(study_of(search), cluster, trials=8, parallel=3)
    assert max(at_once) == 3


def test_the_starter_lacks_the_three_decisions_and_nothing_else():
    starter = (FOLDER / "starter" / "search.py").read_text().splitlines()
    solution = (FOLDER / "solution" / "search.py").read_text().splitlines()
    gone = [line.strip() for line in solution if line not in starter]
    assert gone == [
        '"learning_rate": trial.suggest_float("learning_rate", 0.0001, 0.3, log=True),',
        '"hidden_layers": trial.suggest_int("hidden_layers", 2, 8),',
        "trial.report(loss, step)",
        "if trial.should_prune():",
        "tfjobs.suspend(trial.number, step)",
    ]


def test_the_page_shows_the_solutions_two_functions():
    page = (FOLDER / "README.md").read_text()
    solution = (FOLDER / "solution" / "search.py").read_text()
    shown = page.partition("```python\n")[2].partition("```")[0].strip()
    assert shown in solution


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(409, "kubectl delete tfjobs --selector=sweep=mine", id="names are taken"),
        pytest.param(404, "no operator", id="the kind is not there"),
        pytest.param(403, "403 Forbidden", id="no right"),
    ],
)
def test_a_refusal_of_the_api_server_is_one_sentence(search, status, words):
    error = search.client.ApiException(status=status, reason="Forbidden")
    assert words in search.sentence(error, "mine")


def test_a_cluster_without_gpus_is_asked_for_none(search):
    options = SimpleNamespace(max_steps=20, no_gpu=True, name="mine")
    job = search.tfjob("mine-0", options, {"learning_rate": 0.1, "hidden_layers": 2})
    (container,) = job["spec"]["replicaSpecs"][0]["template"]["spec"]["containers"]
    assert container["resources"] == {}
    assert "--learning-rate=0.1" in container["args"]


KUBECONFIG = {
    "current-context": "here",
    "clusters": [{"name": "lab", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {}}],
    "contexts": [
        {"name": name, "context": {"cluster": "lab", "user": "me", "namespace": f"of-{name}"}}
        for name in ("here", "there")
    ],
}


@pytest.mark.parametrize(
    ("flags", "namespace"),
    [
        pytest.param([], "of-here", id="the current context's"),
        pytest.param(["--context=there"], "of-there", id="that of the context that is named"),
        pytest.param(["--context=there", "--namespace=bob"], "bob", id="the one that is named"),
    ],
)
def test_the_search_takes_the_flags_of_kubectl(search, monkeypatch, tmp_path, flags, namespace):
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(KUBECONFIG))
    monkeypatch.setattr("sys.argv", ["search.py", f"--kubeconfig={path}", *flags])
    assert search.TfJobs(search.parse()).namespace == namespace


def answers(path):
    """A TensorBoard with two runs."""
    if path.startswith("hparams"):
        groups = [
            {
                "hparams": {"learning_rate": rate, "hidden_layers": 5.0},
                "sessions": [{"name": f"rate-{rate}"}],
                "metricValues": [{"value": rate / 10}],
            }
            for rate in (0.1, 0.01)
        ]
        return json.dumps({"sessionGroups": groups}).encode()
    if path.startswith("images/images"):
        return json.dumps([{"query": "early"}, {"query": path.partition("run=")[2][:9]}]).encode()
    return f"png of {path.partition('?')[2]}".encode()


def test_the_picture_has_the_last_painting_of_each_run_with_its_loss(paintings):
    found = paintings.paintings(answers)
    assert [each.rate for each in found] == [0.01, 0.1]
    assert found[0].png == b"png of rate-0.01"
    drawn = paintings.drawn(found)
    assert drawn.count("<image ") == 2
    assert "loss 0.00100" in drawn
    assert drawn.index("rate 0.01<") < drawn.index("rate 0.1<")


def test_a_trial_is_given_up_once_at_the_first_step_that_shows_it(search, monkeypatch):
    """Also where many lines are new at one look, as on a busy machine."""
    monkeypatch.setattr(search.time, "sleep", lambda seconds: None)
    cluster = Cluster(lambda rate, step: abs(rate - 0.01) + 1 / step)
    given_up = []
    suspend = cluster.suspend

    def counted(number, step):
        given_up.append((number, step))
        suspend(number, step)

    def condition(number):
        if number in cluster.suspended:
            return "Suspended"
        late, cluster.steps[number] = cluster.steps[number], cluster.steps[number] or 1600
        cluster.steps[number] += 200
        return "Succeeded" if late > 2000 else ""

    monkeypatch.setattr(cluster, "suspend", counted)
    monkeypatch.setattr(cluster, "condition", condition)
    search.search(study_of(search), cluster, trials=12, parallel=4)
    assert given_up
    assert len({number for number, _ in given_up}) == len(given_up)
    assert {step for _, step in given_up} == {600}
