"""Recorded takes: folders in; a list, playback, downloads and pose curves out."""
