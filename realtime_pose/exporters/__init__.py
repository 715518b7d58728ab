"""Exporters: frame results in; video, motion and table files of a take out."""
