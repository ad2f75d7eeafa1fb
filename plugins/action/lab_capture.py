"""Action plugin lab_capture: a session whose run is interrupted loses its connection at once."""

from __future__ import annotations

import os
import signal
import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction

_ENDING = (signal.SIGINT, signal.SIGTERM)


def end(number: int, _: object) -> t.NoReturn:
    """End this worker and its processes, above all the ssh that waits for the session.

    An ansible-playbook that is interrupted sends its workers SIGINT, then SIGTERM twice. If these
    come fast, ansible-core's own handler (2.19) dies of the last one before it has ended ssh, which
    then stays, and with it the session on the lab host.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    os.killpg(os.getpid(), number)  # ansible-core gives each worker a process group
    os._exit(1)


class ActionModule(NormalAction):
    """Runs the module as Ansible runs any module, in a worker that ends with all its processes."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the module; an interrupted run ends this worker at once."""
        # A worker runs one task: there are no handlers to restore.
        for number in _ENDING:
            signal.signal(number, end)
        return super().run(tmp, task_vars)
