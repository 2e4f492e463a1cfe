"""The TfJob operator: a CRD, a chart and a controller that runs TensorFlow jobs on Kubernetes."""

__version__ = "1.1.0"
