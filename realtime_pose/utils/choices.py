"""Choices as lazy tables: a name -> "module:attribute", imported only when chosen."""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from realtime_pose.errors import UnknownChoiceError


def check_choice(setting: str, name: str, table: Iterable[str]) -> None:
    """Refuse a name that is not in the table.

    Raises:
        UnknownChoiceError: The message lists the names there are.
    """
    if name not in (known := tuple(table)):
        raise UnknownChoiceError(setting, name, known)


def load_choice(setting: str, name: str, table: Mapping[str, str]) -> Any:  # noqa: ANN401 - the table's values differ
    """The object that `table` names for `name`.

    Raises:
        UnknownChoiceError: The table has no such name; the message lists the names it has.
    """
    check_choice(setting, name, table)
    return load_attribute(table[name])


def load_attribute(place: str) -> Any:  # noqa: ANN401 - anything can lie there
    """The object at "module:attribute"."""
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
