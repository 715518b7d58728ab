"""Use cases without a user interface: settings in; runs, takes, replays, exports, plots and calibrations out."""
