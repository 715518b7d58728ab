"""The studio's current settings, checked on every change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from realtime_pose.body.profile import resolved
from realtime_pose.communication.sinks import check_destinations
from realtime_pose.config import AppConfig
from realtime_pose.pipeline import check_names

_ORIGIN = "the page"


class SettingsStore:
    """Settings and a revision number.

    Attributes:
        config: The current settings. `output.record` is empty, as the page has a button for it; look-ahead is off.
        revision: Incremented on every change.
    """

    def __init__(self, config: AppConfig) -> None:
        body = replace(config.body, look_ahead=False)  # it would delay the live view
        self.config = replace(config, body=body, output=replace(config.output, record=""))
        self.revision = 0

    def set(self, config: AppConfig) -> None:
        """Replace the settings."""
        self.config = config
        self.revision += 1

    def change(self, values: Mapping[str, Mapping[str, Any]]) -> bool:
        """Apply the values if all of them are right; whether anything differs now.

        Raises:
            ConfigError: A value is wrong; nothing is changed.
            UnknownChoiceError: There is no such key or choice; nothing is changed.
        """
        after = self.config.with_values(values, _ORIGIN)
        after = replace(after, body=resolved(after.body, keep_height="height_m" in (values.get("body") or {})))
        check_names(after)
        check_destinations(after.output.destinations)
        if after == self.config:
            return False
        self.set(after)
        return True
