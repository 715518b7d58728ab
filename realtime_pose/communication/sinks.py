"""The live sinks by name; each is imported only when chosen."""

SINKS = {"udp": "realtime_pose.communication.udp:UdpSink"}
