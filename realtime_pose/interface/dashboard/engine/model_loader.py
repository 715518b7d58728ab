"""Model loading in the background, while the run goes on with the models that it has."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.active_run import ActiveRun, needs_other_models, without_auto_download
from realtime_pose.interface.dashboard.engine.background import Background
from realtime_pose.interface.dashboard.engine.context import LOADING, Cancelled, StudioContext
from realtime_pose.pipeline import PosePipeline, build_pipeline


class ModelLoader:
    """Loads the models that the settings name, and gives them to the active run.

    Args:
        context: The studio's.
        background: The thread that loads.
    """

    def __init__(self, context: StudioContext, background: Background) -> None:
        self._context, self._background = context, background

    def exchange(self, run: ActiveRun) -> None:
        """Start loading; returns at once. The context's lock is held by the caller."""
        self._context.status.doing = LOADING
        self._background.submit(partial(self._exchange, run))

    def _exchange(self, run: ActiveRun) -> None:
        context = self._context
        with context.lock:
            generation, config = context.generation, context.settings.config
            needed = context.run is run and needs_other_models(run.config, config)
            if needed:  # otherwise the run has ended, or an earlier job has loaded them
                context.status.doing = LOADING
        if needed:
            pipeline = self._load(run, config, partial(context.report_download, generation))
            if pipeline is not None and not self._hand_over(run, pipeline, config):
                pipeline.close()
        context.finish_step()

    def _load(self, run: ActiveRun, config: AppConfig, progress: Callable[[int, int], None]) -> PosePipeline | None:
        """The pipeline; None where it was cancelled, or failed, which puts the settings back."""
        context = self._context
        try:
            return build_pipeline(without_auto_download(config), context.note, progress)
        except Cancelled:  # the choice is kept for the next start
            return None
        except RealtimePoseError as exc:
            with context.lock:
                settings = context.settings
                if context.run is run and settings.config.inference == config.inference:
                    context.status.trouble = f"{exc}. The run continues unchanged."
                    held = replace(run.config.inference, download=config.inference.download)
                    settings.set(replace(settings.config, inference=held))
            return None

    def _hand_over(self, run: ActiveRun, pipeline: PosePipeline, config: AppConfig) -> bool:
        """Whether the run uses the pipeline now: it has not ended, and no other models were chosen meanwhile."""
        context = self._context
        with context.lock:
            current = context.settings.config
            if context.run is not run or needs_other_models(config, current):
                return False
            if not run.runtime.use_pipeline(pipeline):
                return False
            run.pipeline = pipeline
            run.config = replace(run.config, inference=config.inference, body=config.body)
            if context.locked_on is not None or run.config != current:  # changed during loading
                run.retune(current, context.locked_on)
            return True
