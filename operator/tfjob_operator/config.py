"""The operator's settings: flags for one process, and the ConfigMap's file for the cluster.

``__main__`` reads both once at start; reconcile gets the result as an argument.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from . import accelerators
from .spec import Json

SERVER = "grpc_tensorflow_server"
SERVER_SCRIPT = Path(__file__).parents[1] / SERVER / f"{SERVER}.py"
SETTINGS = {"tfImage": "tf_image", "serviceType": "service_type", "clusterDomain": "cluster_domain"}


@dataclass(frozen=True)
class Config:
    """``namespace`` "" means all; an empty ``cluster_domain`` means short names in TF_CONFIG."""

    accelerators: dict[str, Json] = field(default_factory=dict)
    server_script: str = ""
    tf_image: str = "tfjob-workshop/fashion-mnist:1.0.0"
    service_type: str = "Headless"
    cluster_domain: str = ""
    namespace: str = ""
    workers: int = 16
    finishers: int = 8
    progress_delay_seconds: float = 2.0
    resync_seconds: float = 600.0


def read(path: Path | None, **flags: Any) -> Config:
    """Read the controller's config file (YAML; no file means the defaults).

    Raises: ValueError with one sentence if the file cannot be read or makes no sense.
    """
    try:
        settings = yaml.safe_load(path.read_text()) or {} if path else {}
        script = Path(settings.get("grpcServerFilePath") or SERVER_SCRIPT)
        chosen = {name: settings[key] for key, name in SETTINGS.items() if settings.get(key)}
        brought = accelerators.parse(settings.get("accelerators") or {})
        return Config(brought, script.read_text(), **chosen, **flags)
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the controller config file {path} cannot be used: {error}") from error
