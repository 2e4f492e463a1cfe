"""Search for good hyper-parameters: each trial is a TfJob, and a hopeless one is suspended.

    python search.py
    python search.py --trials 12 --parallel 4 --max-steps 2000 --no-gpu --namespace NAME

Optuna chooses what to try, and says which trial is hopeless. The TfJobs run in the current
namespace, under the names that --name begins. They stay when the search has ended.
"""

import argparse
import re
import sys
import time

import optuna
from kubernetes import client, config
from optuna.trial import Trial, TrialState
from urllib3.exceptions import HTTPError

IMAGE = "localhost/fashion-mnist:1.2.0"
TFJOBS = {"group": "tensorflow.org", "version": "v1alpha1", "plural": "tfjobs"}
LINE = re.compile(r"step (\d+)/\d+ loss (\d+\.\d+)")
PRUNED_AT = "workshop/pruned-at-step"
PAUSE_SECONDS = 0.3


def choose(trial: Trial) -> dict[str, float]:
    """What this trial tries."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.0001, 0.3, log=True),
        "hidden_layers": trial.suggest_int("hidden_layers", 2, 8),
    }


def look(trial: Trial, step: int, loss: float, tfjobs: "TfJobs") -> None:
    """A line of the trial's log: step and loss. Suspends the TfJob if it is hopeless."""
    trial.report(loss, step)
    if trial.should_prune():
        tfjobs.suspend(trial.number, step)


class TfJobs:
    """The TfJobs of this search, by the number of their trial."""

    def __init__(self, options: argparse.Namespace) -> None:
        config.load_kube_config(options.kubeconfig, context=options.context)
        contexts, current = config.list_kube_config_contexts(options.kubeconfig)
        chosen = next((each for each in contexts if each["name"] == options.context), current)
        self.options = options
        self.namespace = options.namespace or chosen["context"].get("namespace", "default")
        self.suspended: set[int] = set()
        self.objects, self.pods = client.CustomObjectsApi(), client.CoreV1Api()

    def name(self, number: int) -> str:
        return f"{self.options.name}-{number}"

    def create(self, number: int, choice: dict[str, float]) -> None:
        job = tfjob(self.name(number), self.options, choice)
        self.objects.create_namespaced_custom_object(**TFJOBS, namespace=self.namespace, body=job)

    def suspend(self, number: int, step: int) -> None:
        """The operator deletes the Pod, and its GPU is free. The TfJob stays."""
        self.suspended.add(number)
        note = {"annotations": {PRUNED_AT: str(step)}}
        self.change(number, {"metadata": note, "spec": {"runPolicy": {"suspend": True}}})

    def change(self, number: int, change: dict) -> None:
        where = {"namespace": self.namespace, "name": self.name(number)}
        self.objects.patch_namespaced_custom_object(**TFJOBS, **where, body=change)

    def condition(self, number: int) -> str:
        """Succeeded, Failed or Suspended; "" while it is at work."""
        where = {"namespace": self.namespace, "name": self.name(number)}
        job = self.objects.get_namespaced_custom_object(**TFJOBS, **where)
        conditions = job.get("status", {}).get("conditions", [])
        true = {each["type"] for each in conditions if each["status"] == "True"}
        return next(iter(true & {"Succeeded", "Failed", "Suspended"}), "")

    def losses(self, number: int) -> dict[int, float]:
        """The loss by step, as far as the log says; {} before its Pod runs."""
        label = f"tf_job_name={self.name(number)}"
        pods = self.pods.list_namespaced_pod(self.namespace, label_selector=label).items
        try:
            logs = [
                self.pods.read_namespaced_pod_log(p.metadata.name, self.namespace) for p in pods
            ]
        except client.ApiException as error:
            if error.status in (400, 404):  # it starts, or it is gone
                return {}
            raise
        lines = [line for log in logs for line in LINE.findall(log or "")]
        return {int(step): float(loss) for step, loss in lines}


def tfjob(name: str, options: argparse.Namespace, choice: dict[str, float]) -> dict:
    """The manifest of one trial."""
    arguments = {"max-steps": options.max_steps, "log-dir": "/tmp/painting"}
    arguments |= {option.replace("_", "-"): value for option, value in choice.items()}
    container = {
        "name": "tensorflow",
        "image": IMAGE,
        "command": ["python", "-m", "painting.train"],
        "args": [f"--{option}={value}" for option, value in arguments.items()],
        "resources": {} if options.no_gpu else {"limits": {"nvidia.com/gpu": 1}},
    }
    template = {"spec": {"restartPolicy": "OnFailure", "containers": [container]}}
    replica = {"replicas": 1, "tfReplicaType": "MASTER", "template": template}
    return {
        "apiVersion": "tensorflow.org/v1alpha1",
        "kind": "TfJob",
        "metadata": {"name": name, "labels": {"sweep": options.name}},
        "spec": {"replicaSpecs": [replica]},
    }


def search(study: optuna.Study, tfjobs: TfJobs, trials: int, parallel: int) -> None:
    """Keep some trials at work until all have ended."""
    begun, at_work = 0, list[Trial]()
    while begun < trials or at_work:
        while begun < trials and len(at_work) < parallel:
            trial = study.ask()
            tfjobs.create(trial.number, choose(trial))
            at_work.append(trial)
            begun += 1
        time.sleep(PAUSE_SECONDS)
        at_work = [trial for trial in at_work if not is_over(study, trial, tfjobs)]


def is_over(study: optuna.Study, trial: Trial, tfjobs: TfJobs) -> bool:
    """Look at what a trial's log says; tell Optuna how the trial has ended, once it has."""
    number, ended = trial.number, tfjobs.condition(trial.number)
    losses = tfjobs.losses(number)
    if not ended:
        reported = study.trials[number].intermediate_values
        for step in sorted(losses.keys() - reported.keys()):
            # What is given up says no more, and after the last step nothing can be saved.
            if number not in tfjobs.suspended and step < tfjobs.options.max_steps:
                look(trial, step, losses[step], tfjobs)
        return False
    if ended == "Succeeded":
        study.tell(trial, list(losses.values())[-1])
    else:
        study.tell(trial, state=TrialState.PRUNED if ended == "Suspended" else TrialState.FAIL)
    show(study.trials[number])
    return True


def show(trial: optuna.trial.FrozenTrial) -> None:
    """One line about a trial that has ended."""
    tried = " ".join(f"{name}={value:.5g}" for name, value in trial.params.items())
    how = trial.state.name.lower() if trial.value is None else f"loss {trial.value:.5f}"
    if trial.state is TrialState.PRUNED:
        how += f", suspended at step {trial.last_step}"
    print(f"trial {trial.number:2}  {tried or 'nothing suggested'}  {how}", flush=True)


def main() -> int:
    options = parse()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=3, n_startup_trials=6),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=500),
    )
    try:
        tfjobs = TfJobs(options)
        search(study, tfjobs, options.trials, options.parallel)
        best = study.best_trial
        tfjobs.change(best.number, {"metadata": {"labels": {"best": "true"}}})
    except client.ApiException as error:
        print(sentence(error, options.name), file=sys.stderr)
        return 1
    except (config.ConfigException, ValueError) as error:
        print(f"Cannot go on: {error}", file=sys.stderr)
        return 1
    except HTTPError:
        print("Cannot go on: no answer from the cluster. `make lab` starts it.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The search has ended early. Its TfJobs stay.", file=sys.stderr)
        return 1
    print(f"best: {tfjobs.name(best.number)}, loss {best.value:.5f}")
    return 0


def sentence(error: client.ApiException, name: str) -> str:
    """What the API server refuses, and what to do."""
    if error.status == 409:
        delete = f"kubectl delete tfjobs --selector=sweep={name}"
        return f"Cannot begin: TfJobs of an earlier search are there. Delete them: {delete}"
    if error.status == 404:
        return (
            "Cannot go on: a TfJob is gone, or this cluster has no operator (module 5 installs it)."
        )
    return f"Cannot go on: the API server refuses ({error.status} {error.reason})."


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Search for good hyper-parameters.")
    parser.add_argument("--name", default="module7-ex2", help="how TfJobs begin [%(default)s]")
    parser.add_argument("--trials", type=int, default=12, help="how many [%(default)s]")
    parser.add_argument("--parallel", type=int, default=4, help="at a time [%(default)s]")
    parser.add_argument("--max-steps", type=int, default=2000, help="of a trial [%(default)s]")
    parser.add_argument("--no-gpu", action="store_true", help="for a cluster without GPUs")
    parser.add_argument("--namespace", help="where [the context's]")
    parser.add_argument("--context", help="of the kubeconfig [the current one]")
    parser.add_argument("--kubeconfig", help="which file [as kubectl finds it]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
