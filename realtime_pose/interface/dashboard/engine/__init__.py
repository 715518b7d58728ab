"""The dashboard without a page: settings and commands in; frames, state, takes and exports out."""
