"""Making weights: fitting models to footage whose truth is known."""
