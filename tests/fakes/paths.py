"""Where the operator's manifests are, for the fakes that obey them."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CHART = CHECKOUT / "operator" / "chart"
CRD = CHART / "crds" / "tfjobs.yaml"
