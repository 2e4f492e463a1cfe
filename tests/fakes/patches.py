"""The two kinds of patch that the fake API server takes: RFC 7386 (merge) and RFC 6902 (JSON)."""

from typing import Any

from tests.fakes import refusals
from tests.fakes.objects import copy


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return copy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def json_patch(target: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902: add, replace, remove and test.

    Raises: Refused 422 when a test fails or a path is missing, as the server answers.
    """
    result = copy(target)
    for operation in operations:
        path = operation["path"].lstrip("/").split("/")
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path]
        try:
            place = result
            for part in parents:
                place = place[int(part) if isinstance(place, list) else part]
            _apply(place, last, operation)
        except (KeyError, IndexError, ValueError) as error:
            message = f"the server rejected our request due to an error in our request: {error}"
            raise refusals.Refused(422, "Invalid", message) from None
    return result


def _apply(place: Any, last: str, operation: dict[str, Any]) -> None:
    at: Any = last
    if isinstance(place, list):
        at = len(place) if last == "-" else int(last)
    if operation["op"] == "test":
        if place[at] != operation["value"]:
            raise ValueError("testing value failed")
    elif operation["op"] == "remove":
        del place[at]
    elif isinstance(place, list) and operation["op"] == "add":
        place.insert(at, operation["value"])
    elif operation["op"] == "replace" and isinstance(place, dict) and at not in place:
        raise KeyError(at)
    else:
        place[at] = operation["value"]
