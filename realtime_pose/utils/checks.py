"""Checks of single values that users can set."""

from realtime_pose.errors import ConfigError


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside of low..high, NaN included.

    Raises:
        ConfigError: The message names the setting, what came and what was wanted.
    """
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value:g}, wanted {low:g} to {high:g}")
