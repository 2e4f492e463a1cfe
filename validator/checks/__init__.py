"""Builders of checks: an exercise is a subject and a list of these.

Each returns a ``Check``: an id, a title for the learner, a judge, and what it
reads. ``manifest`` judges what was asked for, ``run`` what came of it,
``lab`` the cluster itself, ``own_image`` what a learner builds, ``distributed`` a TfJob of
several replicas, ``jobs`` a Job, ``servers`` a Deployment with its Service, ``gpus``,
``drivers``, ``nvidia_smi`` and ``claims`` a Job on a GPU, ``models``, ``reader`` and ``boards``
what a training leaves on a volume, ``objects`` whatever else a module makes, ``operator`` the
operator itself.
"""

from validator.checks.autoscaling import (
    bounds,
    by_cpu,
    measures,
    need_metrics,
    scales,
    server_asks_for_cpu,
    under_load,
    was_scaled,
)
from validator.checks.boards import board_reads_the_logs, board_shows_the_run, board_stands
from validator.checks.claims import (
    claim_template,
    need_cards,
    selects_memory,
    shows_memory,
    uses_the_claim,
)
from validator.checks.distributed import (
    default_ps,
    delete_a_worker,
    no_addresses_by_hand,
    tf_config_agrees,
    worker_replaced,
    workers_took_steps,
)
from validator.checks.drivers import cards_not_by_hand, mounts_drivers, no_driver_by_hand
from validator.checks.gangs import (
    a_gpu_each,
    all_in_the_group,
    gang_of,
    gang_waits,
    need_pod_groups,
    together,
    waited,
)
from validator.checks.gpus import need_gpus, one_gpu
from validator.checks.jobs import memory_limit, one_completion
from validator.checks.lab import (
    capabilities,
    default_storage,
    has_sample_image,
    names_are_found,
    nodes_ready,
    version,
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
from validator.checks.models import claim_bound, keeps_model
from validator.checks.nvidia_smi import runs_nvidia_smi, shows_the_table
from validator.checks.objects import (
    answers,
    leads_to_pods,
    ready,
    replicas_ready,
)
from validator.checks.operator import (
    operator_exists,
    operator_knows_the_drivers,
    operator_runs,
    operator_serves,
    operator_was_installed_by_helm,
)
from validator.checks.own_image import (
    built_on_the_sample_image,
    engine_answers,
    entry_point,
    image_built,
    not_root,
    on_the_cluster,
    ran,
    trained_in_container,
)
from validator.checks.preemption import (
    made_way,
    need_class,
    resumed,
    urgent,
    waits_for,
    without_priority,
)
from validator.checks.reader import model_read_back, same_accuracy
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
from validator.checks.servers import (
    asks_before_ready,
    first_pods_replaced,
    leads_to_its_pods,
    listens,
    service_exists,
)
from validator.checks.serving import (
    asks_for_the_model,
    model_of_a_tfjob,
    runs_the_server,
    serves_from,
    was_asked,
)

__all__ = [
    "a_gpu_each",
    "accuracy",
    "all_in_the_group",
    "answers",
    "arguments_are_text",
    "asks_before_ready",
    "asks_for_gpus",
    "asks_for_the_model",
    "board_reads_the_logs",
    "board_shows_the_run",
    "board_stands",
    "bounds",
    "built_on_the_sample_image",
    "by_cpu",
    "capabilities",
    "cards_not_by_hand",
    "claim_bound",
    "claim_template",
    "container_named",
    "default_ps",
    "default_storage",
    "delete_a_worker",
    "deployed",
    "ends_well",
    "engine_answers",
    "entry_point",
    "exists",
    "first_pods_replaced",
    "gang_of",
    "gang_waits",
    "has_sample_image",
    "image_built",
    "in_effect",
    "installed",
    "job_labels",
    "job_takes",
    "keeps_model",
    "leads_to_its_pods",
    "leads_to_pods",
    "listens",
    "log_says",
    "made_way",
    "makes_a_job",
    "measures",
    "memory_limit",
    "model_of_a_tfjob",
    "model_read_back",
    "mounts_drivers",
    "mounts_from_node",
    "mounts_what_the_operator_knows",
    "names_are_found",
    "need_cards",
    "need_class",
    "need_gpus",
    "need_metrics",
    "need_pod_groups",
    "newest_deployment",
    "newest_job",
    "no_addresses_by_hand",
    "no_driver_by_hand",
    "nodes_ready",
    "not_root",
    "on_the_cluster",
    "one_completion",
    "one_gpu",
    "operator_exists",
    "operator_knows_the_drivers",
    "operator_runs",
    "operator_serves",
    "operator_was_installed_by_helm",
    "option_is",
    "ran",
    "ready",
    "replicas",
    "replicas_ready",
    "resumed",
    "runs_nvidia_smi",
    "runs_the_server",
    "same_accuracy",
    "sample_image",
    "scales",
    "selects_memory",
    "server_asks_for_cpu",
    "serves_from",
    "service_exists",
    "shows_memory",
    "shows_the_table",
    "tf_config_agrees",
    "together",
    "trained",
    "trained_in_container",
    "under_load",
    "upgraded",
    "urgent",
    "uses_the_claim",
    "version",
    "waited",
    "waits_for",
    "was_asked",
    "was_scaled",
    "without_priority",
    "worker_replaced",
    "workers_took_steps",
]
