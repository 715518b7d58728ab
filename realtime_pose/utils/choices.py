"""Lazy tables of choices: name -> "module:attribute", imported only when chosen."""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from realtime_pose.errors import UnknownChoiceError


def check_choice(setting: str, name: str, table: Iterable[str]) -> None:
    """Check that the table has a name.

    Raises:
        UnknownChoiceError: It does not; the message lists the valid names.
    """
    if name not in (known := tuple(table)):
        raise UnknownChoiceError(setting, name, known)


def load_choice(setting: str, name: str, table: Mapping[str, str]) -> Any:  # noqa: ANN401 - the table's values differ
    """Import and return the object that `table` has under `name`.

    Raises:
        UnknownChoiceError: The table has no such name; the message lists the valid ones.
    """
    check_choice(setting, name, table)
    return load_attribute(table[name])


def load_attribute(path: str) -> Any:  # noqa: ANN401 - any object can be there
    """Import and return the object at "module:attribute"."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)
