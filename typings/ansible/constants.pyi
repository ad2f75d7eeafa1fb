CONFIG_FILE: str | None
COLOR_OK: str
COLOR_CHANGED: str
COLOR_ERROR: str
COLOR_SKIP: str
LOCALHOST: tuple[str, ...]
