"""Builders of checks: an exercise is a subject and a list of these.

Each returns a ``Check``: an id, a title for the learner, a judge, and what it
reads. ``manifest`` judges what was asked for, ``run`` what came of it,
``distributed`` a TfJob of several replicas, ``objects`` whatever else a module
makes, ``operator`` the operator itself.
"""

from validator.checks.distributed import (
    default_ps,
    delete_a_worker,
    no_addresses_by_hand,
    tf_config_agrees,
    worker_replaced,
    workers_took_steps,
)
from validator.checks.manifest import (
    arguments_are_text,
    asks_for_gpus,
    container_named,
    exists,
    mounts_from_node,
    option_is,
    replicas,
    sample_image,
)
from validator.checks.objects import (
    answers,
    leads_to_pods,
    mounts_claim,
    newest,
    ready,
    release,
    replicas_ready,
    value_in,
)
from validator.checks.operator import (
    operator_exists,
    operator_knows_the_drivers,
    operator_runs,
    operator_serves,
    operator_was_installed_by_helm,
)
from validator.checks.release_objects import (
    in_effect,
    job_labels,
    job_takes,
    makes_a_job,
    newest_deployment,
    newest_job,
)
from validator.checks.releases import deployed, installed, upgraded
from validator.checks.run import (
    accuracy,
    ends_well,
    log_says,
    mounts_what_the_operator_knows,
    trained,
)

__all__ = [
    "accuracy",
    "answers",
    "arguments_are_text",
    "asks_for_gpus",
    "container_named",
    "default_ps",
    "delete_a_worker",
    "deployed",
    "ends_well",
    "exists",
    "in_effect",
    "installed",
    "job_labels",
    "job_takes",
    "leads_to_pods",
    "log_says",
    "makes_a_job",
    "mounts_claim",
    "mounts_from_node",
    "mounts_what_the_operator_knows",
    "newest",
    "newest_deployment",
    "newest_job",
    "no_addresses_by_hand",
    "operator_exists",
    "operator_knows_the_drivers",
    "operator_runs",
    "operator_serves",
    "operator_was_installed_by_helm",
    "option_is",
    "ready",
    "release",
    "replicas",
    "replicas_ready",
    "sample_image",
    "tf_config_agrees",
    "trained",
    "upgraded",
    "value_in",
    "worker_replaced",
    "workers_took_steps",
]
