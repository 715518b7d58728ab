"""Graphical interfaces: the dashboard (Streamlit) and the demo for single images (Gradio)."""
