"""What it means that the API server refuses to create a child: for good, for now, or bad luck.

``apply`` asks; the status and the next attempt follow from the answer.
"""

from kube_runtime.kube import ApiError

from . import conditions

# Of the cluster's admission policies and webhooks, which may change.
POLICIES = ("admission webhook", "ValidatingAdmissionPolicy", "failed calling webhook")


class CreateRejected(Exception):
    """A child that cannot be made: for good, or until something changes."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.is_permanent = reason, reason == conditions.INVALID_TEMPLATE


def rank(error: BaseException) -> int:
    """The most telling error first: a permanent refusal, another refusal, bad luck."""
    if isinstance(error, CreateRejected):
        return 0 if error.is_permanent else 1
    return 2


def classify_create_error(kind: str, name: str, error: ApiError) -> Exception:
    """What a refused creation means: permanent, until something changes, or transient.

    400 and 422 say that the body is wrong, unless an admission policy of the cluster says no: a
    policy may change. A webhook that cannot be called answers with 500, and stays so for a while.
    """
    sentence = f"{kind} {name}: {error}"
    is_policy = any(word in str(error) for word in POLICIES)
    if error.status in (400, 422) and not is_policy:
        return CreateRejected(conditions.INVALID_TEMPLATE, sentence)
    is_transient = error.status in (401, 404, 408, 409, 410, 429) or error.status >= 500
    if "NamespaceTerminating" in error.causes or (is_transient and not is_policy):
        return error  # a namespace that goes takes the TfJob with it: no word about it
    return CreateRejected(conditions.FAILED_CREATE, sentence)
