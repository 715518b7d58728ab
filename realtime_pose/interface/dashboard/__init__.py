"""The dashboard: settings and clicks in; a live view, outputs, takes and figures out. `web` serves `page`, `page` shows
`engine`.
"""
