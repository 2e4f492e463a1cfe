"""The API server's refusals as it words them: Status objects with code and reason."""

from tests.fakes.objects import Object, Resource


class Refused(Exception):
    """An API call that ends with a Status of kind Failure."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        headers: dict[str, str] | None = None,
        cause: str = "",
    ):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.headers = headers or {}
        self.details = {"causes": [{"reason": cause, "message": message}]} if cause else {}

    @property
    def status(self) -> Object:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def not_found(resource: Resource, name: str) -> Refused:
    return Refused(404, "NotFound", f'{resource.qualified} "{name}" not found')


def already_exists(resource: Resource, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists')


def conflict(resource: Resource, name: str, why: str = "") -> Refused:
    why = why or (
        "the object has been modified; please apply your changes to the latest version and try "
        "again"
    )
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Refused(409, "Conflict", message)


def expired(message: str = "too old resource version: 1 (2)") -> Refused:
    return Refused(410, "Expired", message)


def forbidden(resource: Resource, name: str, why: str, cause: str = "") -> Refused:
    message = f'{resource.qualified} "{name}" is forbidden: {why}'
    return Refused(403, "Forbidden", message, cause=cause)


def bad_request(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def invalid(resource: Resource, name: str, cause: str) -> Refused:
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return Refused(422, "Invalid", f'{kind} "{name}" is invalid: {cause}')


def too_many_requests(retry_after_seconds: int = 1) -> Refused:
    message = "The server has received too many requests and has asked us to try again later"
    headers = {"Retry-After": str(retry_after_seconds)}
    return Refused(429, "TooManyRequests", message, headers)


def internal_error() -> Refused:
    message = "Internal error occurred: etcdserver: leader changed"
    return Refused(500, "InternalError", message)


def unavailable() -> Refused:
    return Refused(503, "ServiceUnavailable", "apiserver not ready")
