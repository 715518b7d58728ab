"""Sections of the page: the studio in, one part of the page out."""
