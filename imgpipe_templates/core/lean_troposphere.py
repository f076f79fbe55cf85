"""troposphere without cfn_flip, until somebody asks it for YAML.

troposphere 4.11.1 imports cfn_flip, and with it PyYAML, for `Template.to_yaml` alone; that is a third and more of its
import time, and nothing here calls it.
"""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType
from typing import Any

_NAME = "cfn_flip"


class _Deferred(ModuleType):
    """Stands for a module that is imported when something of it is needed."""

    def __getattr__(self, attribute: str) -> Any:
        _forget(self)
        return getattr(importlib.import_module(self.__name__), attribute)


def import_troposphere() -> None:
    """Import troposphere; a later `import cfn_flip` or `Template.to_yaml()` of anybody gets the real cfn_flip.

    Does nothing where troposphere or cfn_flip is imported already.
    """
    if "troposphere" in sys.modules or _NAME in sys.modules:
        return
    deferred = _Deferred(_NAME)
    sys.modules[_NAME] = deferred
    collecting = gc.isenabled()
    gc.disable()  # thousands of objects are made here to stay; looking for garbage among them finds none
    try:
        importlib.import_module("troposphere")
    finally:
        if collecting:
            gc.enable()
        _forget(deferred)


def _forget(deferred: ModuleType) -> None:
    """Take `deferred` out of the imported modules, so that the next import of its name finds the real one."""
    if sys.modules.get(_NAME) is deferred:
        del sys.modules[_NAME]
