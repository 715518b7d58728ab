"""Choices as lazy tables: a name -> "module:attribute", imported only when chosen."""

import importlib
from collections.abc import Mapping
from typing import Any

from realtime_pose.errors import UnknownChoiceError


def load_choice(setting: str, name: str, table: Mapping[str, str]) -> Any:  # noqa: ANN401 - the table's values differ
    """The object that `table` names for `name`.

    Raises:
        UnknownChoiceError: The table has no such name; the message lists the names it has.
    """
    if name not in table:
        raise UnknownChoiceError(setting, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
