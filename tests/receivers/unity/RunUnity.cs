// Runs the cases through receivers/unity: mono RunUnity.exe RECEIVER_FOLDER CASES ANSWERS
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using RealtimePose;
using UnityEngine;
using Map = System.Collections.Generic.Dictionary<string, object>;

static class RunUnity
{
    const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;

    static void Main(string[] args)
    {
        var cases = (Map)Json.Parse(File.ReadAllText(args[args.Length - 2]));
        string answers = "{\"decoded\":" + Write(List(cases["datagrams"]).Select(x => Read((string)x)))
            + ",\"placed\":" + Write(List(cases["rigs"]).Select(x => Place((Map)x)))
            + ",\"followed\":" + Write(List(cases["followed"]).Select(x => Follow((Map)x))) + "}";
        File.WriteAllText(args[args.Length - 1], answers);
    }

    static IEnumerable<object> List(object value) => (List<object>)value;
    static double[] Numbers(object value) => List(value).Select(x => (double)x).ToArray();
    static byte[] Bytes(string hex) =>
        Enumerable.Range(0, hex.Length / 2).Select(i => Convert.ToByte(hex.Substring(2 * i, 2), 16)).ToArray();

    /// The decoded packet, converted back to the packet's axes.
    static object Read(string hex)
    {
        PosePacket p = PosePacket.Decode(Bytes(hex));
        if (p == null) return null;
        return new Map
        {
            ["stream"] = p.Stream, ["seq"] = p.Seq, ["person"] = p.Person, ["timestamp"] = p.Timestamp,
            ["keypoints"] = p.Keypoints, ["scores"] = p.Scores,
            ["joints_3d"] = p.Joints?.Select(v => new[] { -v.X, v.Y, v.Z }),
            ["rotations"] = p.Rotations?.Select(q => new[] { q.X, -q.Y, -q.Z, q.W }),
            ["root"] = p.Root == null ? null : new[] { -p.Root.Value.X, p.Root.Value.Y, p.Root.Value.Z },
        };
    }

    static object Place(Map rig)
    {
        var receiver = new PoseReceiver { port = 0, animatorHere = new Animator() };
        // The character is moved and tilted; results must be in its own space.
        receiver.transform.localPosition = new Vector3(5, 1, -2);
        receiver.transform.localRotation = new Quaternion(0.48f, 0.6f, 0, 0.64f);
        var bones = new List<Transform>();
        var names = ((Map)rig["names"]).ToDictionary(item => (string)item.Value, item => item.Key);
        foreach (Map bone in List(rig["bones"]))
        {
            double[] p = Numbers(bone["position"]), q = Numbers(bone["rotation"]);
            int parent = (int)(double)bone["parent"];
            bones.Add(new Transform
            {
                parent = parent < 0 ? receiver.transform : bones[parent],
                localPosition = new Vector3(-(float)p[0], (float)p[1], (float)p[2]),
                localRotation = new Quaternion((float)q[0], -(float)q[1], -(float)q[2], (float)q[3]),
            });
            if (names.TryGetValue((string)bone["name"], out string joint))
                receiver.animatorHere.bones[(HumanBodyBones)Enum.Parse(typeof(HumanBodyBones), joint, true)] = bones.Last();
        }
        var atRest = bones.Select(bone => Where(receiver, bone)).ToArray();
        Call(receiver, "OnEnable");
        var socket = (Socket)typeof(PoseReceiver).GetField("socket", Hidden).GetValue(receiver);
        var answers = new List<object>();
        using (var sender = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
            foreach (string hex in List(rig["poses"]))
            {
                sender.SendTo(Bytes(hex), (IPEndPoint)socket.LocalEndPoint);
                if (!socket.Poll(5000000, SelectMode.SelectRead)) throw new TimeoutException();
                Call(receiver, "LateUpdate");
                answers.Add(bones.Select(bone => Where(receiver, bone)).ToArray());
            }
        receiver.restWhenLost = true;
        Time.realtimeSinceStartup += 2;
        Call(receiver, "LateUpdate");
        if (bones.Where((bone, b) => !Where(receiver, bone).SequenceEqual(atRest[b])).Any())
            throw new Exception("the rig is not back at rest");
        Call(receiver, "OnDisable");
        return answers;
    }

    static double[] Where(PoseReceiver receiver, Transform bone)
    {
        Vector3 p = receiver.transform.InverseTransformPoint(bone.position);
        Quaternion q = Quaternion.Inverse(receiver.transform.rotation) * bone.rotation;
        return new double[] { -p.x, p.y, p.z, q.x, -q.y, -q.z, q.w };
    }

    static void Call(PoseReceiver receiver, string method) =>
        typeof(PoseReceiver).GetMethod(method, Hidden).Invoke(receiver, null);

    static object Follow(Map stream)
    {
        var follower = new Follower(stream["person"] == null ? (long?)null : (long)(double)stream["person"]);
        return List(stream["events"]).Cast<Map>().Select(e =>
        {
            PosePacket pose = PosePacket.Decode(Bytes((string)e["datagram"]));
            bool taken = pose != null && follower.Take(pose, (double)e["now_s"]);
            return new object[] { taken, follower.IsLost((double)e["now_s"]) };
        }).ToArray();
    }

    static string Write(object value)
    {
        if (value == null) return "null";
        if (value is bool) return (bool)value ? "true" : "false";
        if (value is Map map) return "{" + string.Join(",", map.Select(i => "\"" + i.Key + "\":" + Write(i.Value))) + "}";
        if (value is System.Collections.IEnumerable items)
            return "[" + string.Join(",", items.Cast<object>().Select(Write)) + "]";
        return ((IFormattable)value).ToString(value is double ? "R" : null, CultureInfo.InvariantCulture);
    }
}
