from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

class AnsibleModule:
    params: dict[str, Any]
    check_mode: bool
    tmpdir: str
    _diff: bool
    _verbosity: int

    def __init__(
        self,
        argument_spec: Mapping[str, Any],
        *,
        mutually_exclusive: Sequence[Sequence[str]] | None = ...,
        required_together: Sequence[Sequence[str]] | None = ...,
        required_one_of: Sequence[Sequence[str]] | None = ...,
        required_if: Sequence[Sequence[Any]] | None = ...,
        required_by: Mapping[str, str | Sequence[str]] | None = ...,
        add_file_common_args: bool = ...,
        supports_check_mode: bool = ...,
    ) -> None: ...
    def exit_json(self, **kwargs: Any) -> NoReturn: ...
    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn: ...
    def warn(self, warning: str) -> None: ...
    def debug(self, msg: str) -> None: ...
    def log(self, msg: str) -> None: ...
    def get_bin_path(
        self, arg: str, required: bool = ..., opt_dirs: Sequence[str] | None = ...
    ) -> str | None: ...
    def run_command(
        self,
        args: Sequence[str],
        check_rc: bool = ...,
        data: str | None = ...,
        cwd: str | None = ...,
        environ_update: Mapping[str, str] | None = ...,
        handle_exceptions: bool = ...,
    ) -> tuple[int, str, str]: ...
    def sha256(self, filename: str) -> str | None: ...
    def atomic_move(
        self, src: str, dest: str, unsafe_writes: bool = ..., keep_dest_attrs: bool = ...
    ) -> None: ...
    def add_cleanup_file(self, path: str) -> None: ...
