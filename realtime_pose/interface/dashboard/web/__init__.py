"""The web server: HTTP and WebSocket requests in; the page, live frames and downloads out."""
