"""Classifies the errors of creations: permanent, rejected for now, or transient.

``apply`` asks. The status and the delay of the retry depend on the class.
"""

from kube_runtime.kube import ApiError

from . import reasons

# Words in the errors of admission policies and webhooks. A policy may change, so not permanent.
POLICIES = ("admission webhook", "ValidatingAdmissionPolicy", "failed calling webhook")


class CreateRejected(Exception):
    """The API server rejects a child: permanently, or until something in the cluster changes."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.is_permanent = reason, reason == reasons.INVALID_TEMPLATE


def rank(error: BaseException) -> int:
    """Sort key, most important first: permanent, rejected for now, transient."""
    if isinstance(error, CreateRejected):
        return 0 if error.is_permanent else 1
    return 2


def classify_create_error(kind: str, name: str, error: ApiError) -> Exception:
    """Turn an error of a creation into CreateRejected, or return it if it is transient.

    400 and 422 mean an invalid body (permanent), unless they come from an admission policy. A
    webhook that cannot be reached causes a 500, and often for long: rejected, not transient.
    """
    sentence = f"{kind} {name}: {error}"
    is_policy = any(word in str(error) for word in POLICIES)
    if error.status in (400, 422) and not is_policy:
        return CreateRejected(reasons.INVALID_TEMPLATE, sentence)
    is_transient = error.status in (401, 404, 408, 409, 410, 429) or error.status >= 500
    if "NamespaceTerminating" in error.causes or (is_transient and not is_policy):
        return error  # not shown in the status: the TfJob is deleted with its namespace
    return CreateRejected(reasons.FAILED_CREATE, sentence)
