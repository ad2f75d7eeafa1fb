"""Action plugin lab_capture_hold_window: an interrupted run lets go of its window at once."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs the module as lab_capture's action plugin runs its own."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the module; an interrupted run ends this worker at once."""
        session = self._shared_loader_obj.action_loader.get(
            "lab_capture",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        result: dict[str, t.Any] = session.run(tmp, task_vars)
        return result
