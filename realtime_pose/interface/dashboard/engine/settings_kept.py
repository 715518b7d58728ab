"""The settings as they are wanted now, checked whenever somebody changes them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from realtime_pose.body.profile import resolved
from realtime_pose.communication.sinks import check_destinations
from realtime_pose.config import AppConfig
from realtime_pose.pipeline import check_names

_ORIGIN = "the page"


class SettingsKept:
    """Settings, and how often they changed.

    Attributes:
        config: As they are wanted now; what a start would record is left to the page's own button.
        revision: Grows whenever they change, by whomever.
    """

    def __init__(self, config: AppConfig) -> None:
        body = replace(config.body, look_ahead=False)  # nobody who watches now wants to wait for what comes after
        self.config = replace(config, body=body, output=replace(config.output, record=""))
        self.revision = 0

    def take(self, config: AppConfig) -> None:
        """Want these from now on."""
        self.config = config
        self.revision += 1

    def change(self, values: Mapping[str, Mapping[str, Any]]) -> bool:
        """Take the values over if all of them are right; whether anything is different now.

        Raises:
            ConfigError: A value is wrong; nothing is changed.
            UnknownChoiceError: There is no such key or choice; nothing is changed.
        """
        after = self.config.with_values(values, _ORIGIN)
        after = replace(after, body=resolved(after.body, keep_height="height_m" in (values.get("body") or {})))
        check_names(after)
        check_destinations(after.output.targets)
        if after == self.config:
            return False
        self.take(after)
        return True
