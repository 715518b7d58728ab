"""Live outputs: each FrameResult goes in, and packets for other programs come out over UDP, OSC or WebSocket."""
