"""PosePacket, version 1: FrameResults go in and datagrams come out; received datagrams become packets again."""
