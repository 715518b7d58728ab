"""Setting fields: metadata of a dataclass field, and its range check."""

from dataclasses import dataclass, fields

import pytest

from realtime_pose.errors import ConfigError
from realtime_pose.ik.table import SOLVERS
from realtime_pose.utils.settings import SettingInfo, check_settings, setting, settings_in


@dataclass(frozen=True)
class Example:
    """Settings of an example."""

    speed: float = setting(1.5, help="Speed.", low=0, high=10)
    colour: str = setting("red", help="Colour: {choices}.", choices=("red", "green"), also=("auto",))
    table: str = setting("a", help="One of {choices}.", choices="realtime_pose.ik.table:SOLVERS")
    often: int = setting(3, help="How often.", low=1, high=1_000_000)
    plain: int = 0

    def __post_init__(self) -> None:
        check_settings("example", self)


INFO = settings_in(Example)


def test_fields_keep_their_defaults_and_have_help():
    assert Example() == Example(1.5, "red", "a", 3, 0)
    assert list(INFO) == ["speed", "colour", "table", "often"]
    assert settings_in(Example()) == INFO
    assert [field.name for field in fields(Example)][-1] == "plain"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("speed", "Speed (0 to 10)."),
        ("colour", "Colour: auto, red or green."),
        ("often", "How often (1 or more)."),
    ],
)
def test_the_sentence_has_choices_and_range(name, said):
    assert INFO[name].sentences(INFO[name].help) == said


def test_choices_come_from_a_table_that_is_imported_when_asked_for():
    assert INFO["table"].names() == tuple(SOLVERS)
    assert SettingInfo(help="Free text.").names() == ()


@pytest.mark.parametrize("value", [-0.1, 10.1, float("nan")])
def test_a_number_out_of_range_is_refused_by_its_settings_name(value):
    with pytest.raises(ConfigError, match=r"^example\.speed is \S+, wanted 0 to 10$"):
        Example(speed=value)


def test_an_unknown_attribute_is_a_programming_error():
    with pytest.raises(TypeError):
        setting(1, help="x", hlep="y")
