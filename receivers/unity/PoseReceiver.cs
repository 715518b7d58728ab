// Attach this to a character with an Animator of type Humanoid. It receives realtime_pose's packets and drives the bones.
using System;
using System.Net;
using System.Net.Sockets;
using RealtimePose;
using UnityEngine;

public class PoseReceiver : MonoBehaviour
{
    public int port = 5005;
    [Tooltip("Follow this person only; -1: the first person to appear")] public int person = -1;
    [Tooltip("Return to the rest pose after a second without poses")] public bool restWhenLost;

    readonly Transform[] transforms = new Transform[17];
    readonly Quaternion[] restRotations = new Quaternion[17];
    readonly byte[] buffer = new byte[65536];
    Vector3 restHips;
    Retarget retarget;
    Follower follower;
    Socket socket;

    void OnEnable()
    {
        var animator = GetComponent<Animator>();
        var bones = new Bone[17];
        for (int j = 0; j < 17; j++)
        {
            var name = (HumanBodyBones)Enum.Parse(typeof(HumanBodyBones), Retarget.Joints[j]);
            transforms[j] = animator.GetBoneTransform(name);
        }
        animator.enabled = false; // otherwise it overwrites the pose
        for (int j = 0; j < 17; j++)
        {
            if (transforms[j] == null) continue;
            restRotations[j] = transforms[j].localRotation;
            bones[j] = Measure(transforms[j], bones);
        }
        restHips = transforms[0].localPosition;
        retarget = new Retarget(bones);
        follower = new Follower(person < 0 ? (long?)null : person);
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port)); // throws if another receiver uses the port
    }

    void OnDisable()
    {
        socket?.Close();
        GoToRest();
    }

    /// A bone at rest in the character's space, with its parents; bones already in the table are reused.
    Bone Measure(Transform bone, Bone[] known)
    {
        if (bone == transform) return null;
        int j = Array.IndexOf(transforms, bone);
        if (j >= 0 && known[j] != null) return known[j];
        Vector3 p = transform.InverseTransformPoint(bone.position);
        Quaternion q = Quaternion.Inverse(transform.rotation) * bone.rotation;
        return new Bone
        {
            Parent = Measure(bone.parent, known), Position = new Vec(p.x, p.y, p.z),
            Rotation = new Quat(q.x, q.y, q.z, q.w),
        };
    }

    void LateUpdate()
    {
        PosePacket newest = null;
        while (socket.Available > 0)
        {
            int size = socket.Receive(buffer);
            var datagram = new byte[size];
            Array.Copy(buffer, datagram, size);
            PosePacket pose = PosePacket.Decode(datagram);
            if (pose != null && follower.Take(pose, Time.realtimeSinceStartup)) newest = pose;
        }
        if (newest != null) Apply(newest);
        else if (restWhenLost && follower.IsLost(Time.realtimeSinceStartup)) GoToRest();
    }

    void Apply(PosePacket pose)
    {
        Quat[] turns = retarget.Apply(pose, out Vec hips);
        for (int j = 0; j < 17; j++)
        {
            Quat q = turns[j];
            if (transforms[j] != null)
                transforms[j].localRotation = new Quaternion((float)q.X, (float)q.Y, (float)q.Z, (float)q.W);
        }
        transforms[0].position = transform.TransformPoint(new Vector3((float)hips.X, (float)hips.Y, (float)hips.Z));
    }

    void GoToRest()
    {
        if (retarget == null) return; // Start has failed
        for (int j = 0; j < 17; j++)
            if (transforms[j] != null) transforms[j].localRotation = restRotations[j];
        transforms[0].localPosition = restHips;
    }
}
