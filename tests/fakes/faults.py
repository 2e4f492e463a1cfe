"""What may go wrong with one API call: a crash around it, a refusal, a lost answer.

Each is a ``Fault`` of FakeTransport for the call of one number; all others go through.
"""

import asyncio
from collections.abc import Callable

from kube_runtime.kube import Request, Response
from tests.fakes import refusals
from tests.fakes.objects import Object
from tests.fakes.refusals import Refused
from tests.fakes.transport import Fault, Handler

MakeFault = Callable[[int, "asyncio.Event"], Fault]


def _at(number: int, do: Callable[[Request, Handler], object]) -> Fault:
    async def fault(current: int, request: Request, go_on: Handler) -> Response:
        if current != number:
            return await go_on(request)
        return await do(request, go_on)  # type: ignore[misc]

    return fault


def killed_before(number: int, crash: asyncio.Event) -> Fault:
    """The operator dies before the call leaves it."""

    async def die(request: Request, go_on: Handler) -> Response:
        crash.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    return _at(number, die)


def killed_after(number: int, crash: asyncio.Event) -> Fault:
    """The call has its effect, and the operator dies before it hears of it."""

    async def die(request: Request, go_on: Handler) -> Response:
        await go_on(request)
        crash.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    return _at(number, die)


def refused(make: Callable[[], Refused]) -> MakeFault:
    """The API server answers with a refusal and does nothing."""

    def fault(number: int, crash: asyncio.Event) -> Fault:
        async def refuse(request: Request, go_on: Handler) -> Response:
            error = make()
            headers = {name.lower(): value for name, value in error.headers.items()}
            return Response(error.code, error.status, headers)

        return _at(number, refuse)

    return fault


def timed_out_but_done(number: int, crash: asyncio.Event) -> Fault:
    """The write happens, the answer is lost."""

    async def lose(request: Request, go_on: Handler) -> Response:
        await go_on(request)
        await asyncio.sleep(10)
        raise TimeoutError

    return _at(number, lose)


def unreachable(number: int, crash: asyncio.Event) -> Fault:
    """Nobody answers."""

    async def fail(request: Request, go_on: Handler) -> Response:
        raise ConnectionRefusedError("connection refused")

    return _at(number, fail)


def conflict() -> Refused:
    message = 'Operation cannot be fulfilled on "x": the object has been modified'
    return Refused(409, "Conflict", message)


FAULTS: dict[str, MakeFault] = {
    "killed before the call": killed_before,
    "killed after the call": killed_after,
    "409 Conflict": refused(conflict),
    "410 Expired": refused(refusals.expired),
    "429 with Retry-After": refused(lambda: refusals.too_many_requests(2)),
    "500 Internal error": refused(refusals.internal_error),
    "503 Unavailable": refused(refusals.unavailable),
    "a time-out whose write did happen": timed_out_but_done,
    "connection refused": unreachable,
}


def name_of(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))
