"""Action plugin lab_capture: a session whose run is interrupted loses its connection at once."""

from __future__ import annotations

import os
import signal
import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction

_ENDING = (signal.SIGINT, signal.SIGTERM)


def end(number: int, _: object) -> t.NoReturn:
    """End this worker and what it started, ssh above all: who waits for a session is its process.

    An ansible-playbook that is interrupted sends its workers SIGINT, then SIGTERM twice. Where that
    goes fast, ansible-core's own handler (2.19) dies of the last one before it has told ssh, which
    then stays, and with it the session on the lab host.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    os.killpg(os.getpid(), number)  # ansible-core gives each worker a process group
    os._exit(1)


class ActionModule(NormalAction):
    """Runs the module as Ansible runs any, in a worker that ends with all that it started."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the module; an interrupted run ends this worker at once."""
        # A worker runs one task: nothing has to be put back.
        for number in _ENDING:
            signal.signal(number, end)
        return super().run(tmp, task_vars)
