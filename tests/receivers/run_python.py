"""Runs the cases through receivers/python: run_python.py RECEIVER_FOLDER CASES ANSWERS."""

import json
import sys

folder, cases_file, answers_file = sys.argv[1:]
sys.path.insert(0, folder)
from pose_receiver import Follower, Retarget, decode, multiply, rotate  # noqa: E402


def world(bones, locals_of):
    placed = []
    for row, bone in enumerate(bones):
        position, rotation = locals_of(row, bone)
        if bone["parent"] >= 0:
            above, under = placed[bone["parent"]]
            position = [a + b for a, b in zip(above, rotate(under, position), strict=True)]
            rotation = multiply(under, rotation)
        placed.append((position, rotation))
    return placed


def place(rig):
    bones = rig["bones"]
    rest = world(bones, lambda _, bone: (bone["position"], bone["rotation"]))
    names = [bone["name"] for bone in bones]
    table = {
        bone["name"]: (names[bone["parent"]] if bone["parent"] >= 0 else None, *rest[row])
        for row, bone in enumerate(bones)
    }
    retarget = Retarget(table, rig["names"])
    answers = []
    for datagram in rig["poses"]:
        rotations, hips = retarget.apply(decode(bytes.fromhex(datagram)))

        def posed(_, bone, rotations=rotations, hips=hips):
            position = hips if bone["name"] == rig["names"]["hips"] else bone["position"]
            return position, rotations.get(bone["name"], bone["rotation"])

        answers.append([[*position, *rotation] for position, rotation in world(bones, posed)])
    return answers


def follow(stream):
    follower, answers = Follower(stream["person"]), []
    for event in stream["events"]:
        pose = decode(bytes.fromhex(event["datagram"]))
        taken = pose is not None and follower.take(pose, event["now_s"])
        answers.append([taken, follower.is_lost(event["now_s"])])
    return answers


with open(cases_file, encoding="utf-8") as file:
    cases = json.load(file)
answers = {
    "decoded": [decode(bytes.fromhex(datagram)) for datagram in cases["datagrams"]],
    "placed": [place(rig) for rig in cases["rigs"]],
    "followed": [follow(stream) for stream in cases["followed"]],
}
with open(answers_file, "w", encoding="utf-8") as file:
    json.dump(answers, file)
