"""Plotly figures: poses and run statistics in; figures and a self-contained HTML page out."""
