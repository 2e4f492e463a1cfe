"""The operator's settings: flags for one process, and the ConfigMap's file for the cluster."""

from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct, structs

from kube_runtime.process import DEFAULT_DOMAIN, cluster_domain

from .accelerators import Accelerator

WORKERS = 44  # TfJobs with creations in flight at the same time, measured in bench/README.md
SERVER_SCRIPT = Path(__file__).parents[1] / "grpc_tensorflow_server/grpc_tensorflow_server.py"


class ConfigFile(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The ConfigMap's file. Without ``cluster_domain`` TF_CONFIG has short names."""

    grpc_server_file_path: str = str(SERVER_SCRIPT)
    accelerators: dict[str, Accelerator | None] = {}
    tf_image: str = "localhost/fashion-mnist:1.2.0"
    service_type: Literal["Headless", "ClusterIP"] = "Headless"
    cluster_domain: str = ""
    gang_scheduling: Literal["", "kubernetes", "volcano"] = ""
    ps_resources: dict[str, Any] = {}
    tensorboard_resources: dict[str, Any] = {}


class Config(ConfigFile, frozen=True):
    """The file, the flags, and what is read from elsewhere. ``namespace`` "" means all."""

    server_script: str = ""
    namespace: str = ""
    dns_domain: str = DEFAULT_DOMAIN  # cluster_domain, else the one of our own resolv.conf
    workers: int = WORKERS
    resync_seconds: float = 600.0


def read(path: Path | None, **flags: Any) -> Config:
    """Read the controller's config file (YAML). No file and empty values mean the defaults.

    Raises: ValueError with one sentence if the file cannot be read or makes no sense.
    """
    try:
        text = path.read_text() if path else ""
        settings = msgspec.convert(yaml.safe_load(text) or {}, dict[str, Any])
        file = msgspec.convert({key: value for key, value in settings.items() if value}, ConfigFile)
        flags["server_script"] = Path(file.grpc_server_file_path).read_text()
        flags["dns_domain"] = file.cluster_domain or cluster_domain()
        return Config(**structs.asdict(file), **flags)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(f"the controller config file {path} cannot be used: {error}") from error
