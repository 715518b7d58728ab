"""The actors' scenes: a performance, a room and a camera in; rendered frames and ground truth out."""
