"""Range checks for user settings."""

from realtime_pose.errors import ConfigError


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Check that a number lies in low..high; NaN does not.

    Raises:
        ConfigError: It does not; the message has the setting, the value and the range.
    """
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value:g}, wanted {low:g} to {high:g}")
