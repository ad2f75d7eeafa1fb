from typing import Any

class PluginLoader:
    def get(self, name: str, *, class_only: bool = ...) -> Any: ...

callback_loader: PluginLoader
