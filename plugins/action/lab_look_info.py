"""Action plugin lab_look_info: the look, and the host's clock compared with the controller's."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs the module and measures the clock offset around it.

    The offset is NTP's (RFC 5905, section 8): the mean of the differences on the way there and on
    the way back, so that equal delays on both ways cancel out. The remaining error is never more
    than half the delay: a first connection, say, costs time only on the way there.
    """

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Send the module once; add ``clock_offset_seconds`` and ``clock_delay_seconds``."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if self._connection.transport == "local":
            # The module runs as root, for whom sudo has dropped the user's variable.
            arguments["docker_host"] = os.environ.get("DOCKER_HOST", "")
        sent = time.time()
        result: dict[str, t.Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        received = time.time()
        clock = result.pop("clock", None)
        if clock is not None:
            started, ended = clock
            result["clock_offset_seconds"] = round(((started - sent) + (ended - received)) / 2, 3)
            result["clock_delay_seconds"] = round((received - sent) - (ended - started), 3)
        return result
