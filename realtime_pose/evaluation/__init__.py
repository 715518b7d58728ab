"""Measurements: settings and clips with known truth go in, and figures of accuracy and speed come out."""
