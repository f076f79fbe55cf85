"""troposphere without what only its YAML writer and its serverless macro need, until somebody asks for those.

troposphere 4.11.1 imports cfn_flip, and with it PyYAML, for `Template.to_yaml` alone: more than a third of its import
time. It imports its serverless module, and with it five others, for the name of one class in `Template`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_YAML_WRITER = "cfn_flip"
_SERVERLESS = "troposphere.serverless"


class _Deferred(ModuleType):
    """Stands for a module that is imported when something of it is needed."""

    def __getattr__(self, attribute: str) -> Any:
        _forget(self)
        return getattr(importlib.import_module(self.__name__), attribute)


class _Globals:
    """Stands for `troposphere.serverless.Globals` as `Template.Globals`, and makes the real ones."""

    def __new__(cls, *arguments: Any, **properties: Any) -> Any:
        return importlib.import_module(_SERVERLESS).Globals(*arguments, **properties)


def import_troposphere() -> None:
    """Import troposphere; whoever imports or uses what was left out afterwards gets the real thing.

    Does nothing where troposphere is imported already, and replaces no module that is.
    """
    if "troposphere" in sys.modules:
        return
    deferred = [_Deferred(_YAML_WRITER)] if _YAML_WRITER not in sys.modules else []
    serverless = _Deferred(_SERVERLESS)
    # The one name that is imported from it now; a path, because an import from a module asks for it.
    vars(serverless).update(Globals=_Globals, __path__=[])
    deferred.append(serverless)
    sys.modules.update({module.__name__: module for module in deferred})
    try:
        importlib.import_module("troposphere")
    finally:
        for module in deferred:
            _forget(module)


def deferred(name: str) -> ModuleType:
    """A stand-in for a module of troposphere or awacs that is imported when something of it is used.

    For resources that only some pipelines have: their modules take up to 7 ms each, a tenth of a render.
    """
    return _Later(name)


class _Later(ModuleType):
    """Stands for a module for as long as its user keeps it."""

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self.__name__), attribute)


def _forget(deferred: ModuleType) -> None:
    """Take `deferred` out of the imported modules, so that the next import of its name finds the real one."""
    if sys.modules.get(deferred.__name__) is deferred:
        del sys.modules[deferred.__name__]
