"""The Gradio demo's page and server: one image in; overlay, 3D figure and packets out."""
