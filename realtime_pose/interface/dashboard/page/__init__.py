"""The page: the studio's state in, widgets and figures out; a Streamlit script that runs for each browser tab."""
