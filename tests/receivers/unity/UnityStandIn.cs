// A fake of the part of UnityEngine that receivers/unity uses, written from its documentation, so that the receiver can be
// compiled and run without Unity. It tests the receiver's code, not Unity's behaviour.
using System.Collections.Generic;
using RealtimePose;

namespace UnityEngine
{
    public class TooltipAttribute : System.Attribute { public TooltipAttribute(string text) { } }

    public enum HumanBodyBones
    {
        Hips, LeftUpperLeg, RightUpperLeg, LeftLowerLeg, RightLowerLeg, LeftFoot, RightFoot, Spine, Chest, UpperChest, Neck,
        Head, LeftUpperArm, RightUpperArm, LeftLowerArm, RightLowerArm, LeftHand, RightHand,
    }

    public struct Vector3
    {
        public float x, y, z;
        public Vector3(float x, float y, float z) { this.x = x; this.y = y; this.z = z; }
        internal Vec V => new Vec(x, y, z);
        internal static Vector3 Of(Vec v) => new Vector3((float)v.X, (float)v.Y, (float)v.Z);
    }

    public struct Quaternion
    {
        public float x, y, z, w;
        public Quaternion(float x, float y, float z, float w) { this.x = x; this.y = y; this.z = z; this.w = w; }
        internal Quat Q => new Quat(x, y, z, w);
        internal static Quaternion Of(Quat q) => new Quaternion((float)q.X, (float)q.Y, (float)q.Z, (float)q.W);
        public static Quaternion Inverse(Quaternion q) => Of(q.Q.Inverse);
        public static Quaternion operator *(Quaternion a, Quaternion b) => Of(a.Q * b.Q);
    }

    public class Transform
    {
        public Transform parent;
        public Vector3 localPosition;
        public Quaternion localRotation = new Quaternion(0, 0, 0, 1);
        Quat Turn => parent == null ? localRotation.Q : parent.Turn * localRotation.Q;
        Vec Place => parent == null ? localPosition.V : parent.Place + parent.Turn * localPosition.V;
        public Quaternion rotation => Quaternion.Of(Turn);
        public Vector3 position
        {
            get => Vector3.Of(Place);
            set => localPosition = parent == null ? value : parent.InverseTransformPoint(value);
        }
        public Vector3 TransformPoint(Vector3 p) => Vector3.Of(Place + Turn * p.V);
        public Vector3 InverseTransformPoint(Vector3 p) => Vector3.Of(Turn.Inverse * (p.V - Place));
    }

    public class Animator
    {
        public bool enabled = true;
        public Dictionary<HumanBodyBones, Transform> bones = new Dictionary<HumanBodyBones, Transform>();
        public Transform GetBoneTransform(HumanBodyBones bone) => bones.TryGetValue(bone, out Transform t) ? t : null;
    }

    public class MonoBehaviour
    {
        public Transform transform = new Transform();
        public Animator animatorHere;
        public T GetComponent<T>() where T : class => animatorHere as T;
    }

    public static class Time { public static float realtimeSinceStartup = 1; }
}
