"""The operator as a process that can be killed: everything it is runs on one fake connection.

After ``kill`` no call of it reaches the API server any more, not even those that its own clean-up
makes: so it is with a process that is gone.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from kube_runtime.kube import Kube
from kube_runtime.leader import Elector
from tests.fakes import virtual_time
from tests.fakes.transport import FakeTransport
from tfjob_operator import controller
from tfjob_operator.config import SERVER_SCRIPT, Config

CONFIG = Config(server_script=SERVER_SCRIPT.read_text())


class Controller(controller.Controller):
    """The real one; counts its passes over each TfJob in each virtual second."""

    def __init__(self, *arguments: Any) -> None:
        self.passes: Counter[tuple[str, int]] = Counter()
        super().__init__(*arguments)

    async def sync(self, uid: str, *priority: Any) -> None:
        self.passes[uid, int(asyncio.get_running_loop().time())] += 1
        await super().sync(uid, *priority)


class OperatorProcess:
    """One incarnation. With ``identity`` it takes part in leader election."""

    def __init__(
        self,
        transport: FakeTransport,
        config: Config = CONFIG,
        identity: str = "",
        clock: Callable[[], datetime] = virtual_time.now,
    ):
        self.transport, self.identity = transport, identity
        kube = Kube(transport)
        self.controller = Controller(kube, config, clock)
        self.elector = Elector(kube, "tf-job-system", "tf-job-operator", identity, clock)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        run = self.elector.run(self.controller.run) if self.identity else self.controller.run()
        self.task = asyncio.create_task(run)  # type: ignore[arg-type]

    async def kill(self) -> None:
        """End it as SIGKILL does."""
        self.transport.dead = True
        if self.task is None:
            return
        while not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task}, timeout=1)
        with contextlib.suppress(asyncio.CancelledError, Exception):
            self.task.result()

    async def stop(self) -> None:
        """End it as SIGTERM does: it may still say goodbye."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})
