"""Stages as the page lists them."""

from realtime_pose.interface.dashboard.page.sections.figures import stages_html
from realtime_pose.interface.dashboard.page.stages import listed_stages, stage
from realtime_pose.report import STAGES


def test_every_stage_of_a_report_has_a_name_a_meaning_and_a_colour_of_its_own():
    stages = [stage(name) for name in (*STAGES, "filter")]
    assert all(s.why for s in stages)
    assert len({s.colour for s in stages}) == len({s.name for s in stages}) == len({*STAGES, "filter"})
    assert stage("filter").name == "Filters"


def test_a_stage_that_the_page_does_not_know_is_listed_by_its_name():
    assert listed_stages({"send": {}, "dream<": {}}) == (*STAGES, "dream<")
    html = stages_html({"estimate": {"p50": 3.0, "p95": 4.0}, "dream<": {"p50": 1.0, "p95": 2.0}})
    assert "dream&lt; 1.0 ms" in html
    assert "width:25.0%" in html
