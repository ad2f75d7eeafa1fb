"""What Ansible tells a callback plugin, as plain data for ``progress``.

Plays, tasks and results are Ansible's own objects, of which only attributes are used here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from upcall_board.progress import Play, Progress
from upcall_board.reasons import one_line, why_failed, why_unreachable


def hosts_of(play: Any, which: str) -> list[str]:
    """Return one of Ansible's own lists of a play's hosts, such as ``ansible_play_hosts``."""
    return [str(name) for name in play.get_variable_manager().get_vars(play=play)[which]]


class Events:
    """Tells a ``Progress`` what happens.

    ``local_names`` are those by which Ansible knows a localhost that no inventory names.
    """

    def __init__(self, local_names: Collection[str]) -> None:
        self.progress = Progress()
        self._local_names = local_names
        self._play: Any = None

    def plan(self, playbook: Any) -> None:
        """Note the plays of a playbook."""
        self.progress.planned += [play.get_path() for play in playbook.get_plays()]

    def start_play(self, play: Any) -> None:
        """Begin a play, or one of its batches: the one before it has ended."""
        self.end_play()
        self._play = play
        everybody = hosts_of(play, "ansible_play_hosts_all")
        # A localhost that no inventory names is in no batch.
        unnamed = [host for host in everybody if host in self._local_names]
        batch = [*hosts_of(play, "ansible_play_batch"), *unnamed]
        limits_failures = play.max_fail_percentage is not None
        self.progress.start_play(Play(play.get_path(), everybody, batch, limits_failures))

    def end_task(self, result: Any) -> None:
        """Take in a host's task that did not fail."""
        self.progress.end_task(result.host.get_name(), changed=result.is_changed())

    def fail(self, result: Any, *, ignored: bool) -> None:
        """Take in a host's task that failed; whether that counts is for Ansible to say."""
        host = result.host.get_name()
        self.progress.end_task(host, changed=ignored and result.is_changed())
        if ignored:
            return
        self._fail(result.task)
        # A rescued host is still among the play's hosts. An included file that cannot be read fails
        # the host only after this call.
        unreadable = "reason" in result.result and "include" in result.task.action
        if unreadable or host not in hosts_of(self._play, "ansible_play_hosts"):
            task, reason = one_line(result.task_name), why_failed(result.result)
            self.progress.stop(host, task, reason, unreachable=False)

    def miss(self, result: Any) -> None:
        """Take in a host that could not be reached."""
        self.end_task(result)
        if not result.task.ignore_unreachable:
            self._fail(result.task)
            task, reason = one_line(result.task_name), why_unreachable(result.result)
            self.progress.stop(result.host.get_name(), task, reason, unreachable=True)

    def end_play(self) -> None:
        """End the play that is under way, if any."""
        if self._play is not None:
            remaining: list[str] = []
            if self.progress.stops_others:
                remaining = hosts_of(self._play, "ansible_play_hosts")
            self.progress.end_play(remaining)
        self._play = None

    def _fail(self, task: Any) -> None:
        self.progress.fail(for_all=bool(task.run_once or task.any_errors_fatal))
