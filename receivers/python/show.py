"""`python show.py [port]`: drives a demo rig with the received packets and prints its pose once a second."""

import math
import socket
import sys
import time

from pose_receiver import JOINTS, PARENTS, Follower, Retarget, arc, decode

OFFSETS = ((0, 0.9, 0), (0, 0.1, 0), (0, 0.17, 0), (0, 0.25, 0), (0, 0.09, 0),
           (0.18, 0.22, 0), (0.29, 0, 0), (0.25, 0, 0), (-0.18, 0.22, 0), (-0.29, 0, 0), (-0.25, 0, 0),
           (0.1, 0, 0), (0, -0.415, 0), (0, -0.415, 0), (-0.1, 0, 0), (0, -0.415, 0), (0, -0.415, 0))  # fmt: skip


def demo_rig():
    """A rig with y along each bone, as in many tools. {bone: (parent, rest position, rest rotation)}."""
    rig = {}
    for joint, above, offset in zip(JOINTS, PARENTS, OFFSETS):
        parent = None if above < 0 else JOINTS[above]
        start = (0, 0, 0) if parent is None else rig[parent][1]
        place = [a + b for a, b in zip(start, offset)]
        turn = (1, 0, 0, 0) if offset[1] < 0 else arc((0, 1, 0), offset)
        rig[joint] = (parent, place, turn)
    return rig


def main(port=5005, seconds=math.inf):
    """Receive packets and drive the rig."""
    follower, retarget = Follower(), Retarget(demo_rig())
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", port))
    receiver.settimeout(1)
    print(f"listening on 127.0.0.1:{port}", flush=True)
    start = shown = time.monotonic()
    poses, text = 0, ""
    while (now := time.monotonic()) - start < seconds:
        if now - shown >= 1:
            print("nobody; the rig holds its pose" if follower.is_lost(now) else f"{poses} poses; {text}", flush=True)
            poses, shown = 0, now
        try:
            pose = decode(receiver.recv(65535))
        except socket.timeout:
            continue
        if pose is not None and follower.take(pose, time.monotonic()):
            rotations, hips = retarget.apply(pose)  # set these on your character
            numbers = " ".join(f"{x:+.3f}" for x in (*hips, *rotations["leftUpperArm"]))
            poses, text = poses + 1, f"person {pose['person']}, seq {pose['seq']}, hips and leftUpperArm {numbers}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
