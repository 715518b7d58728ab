"""Evaluation on footage of real people: by facts that a person sees in a clip, or by several calibrated views."""
