// The engine-independent part of the receiver: decodes packets, selects and retargets poses. PoseReceiver.cs is the rest.
// `PosePacket.Decode` converts to Unity's axes (left-handed, y up, metres): positions (-x, y, z), quaternions
// (x, -y, -z, w) of the received numbers.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace RealtimePose
{
    public struct Vec
    {
        public readonly double X, Y, Z;
        public Vec(double x, double y, double z) { X = x; Y = y; Z = z; }
        public static Vec operator +(Vec a, Vec b) => new Vec(a.X + b.X, a.Y + b.Y, a.Z + b.Z);
        public static Vec operator -(Vec a, Vec b) => new Vec(a.X - b.X, a.Y - b.Y, a.Z - b.Z);
        public static Vec operator *(Vec a, double k) => new Vec(a.X * k, a.Y * k, a.Z * k);
        public double Length => Math.Sqrt(X * X + Y * Y + Z * Z);
    }

    public struct Quat
    {
        public readonly double X, Y, Z, W;
        public static readonly Quat Identity = new Quat(0, 0, 0, 1);
        public Quat(double x, double y, double z, double w) { X = x; Y = y; Z = z; W = w; }
        public Quat Inverse => new Quat(-X, -Y, -Z, W);
        public double Length => Math.Sqrt(X * X + Y * Y + Z * Z + W * W);
        public Quat Unit => new Quat(X / Length, Y / Length, Z / Length, W / Length);

        /// The rotation by b, then by a.
        public static Quat operator *(Quat a, Quat b) => new Quat(
            a.W * b.X + a.X * b.W + a.Y * b.Z - a.Z * b.Y, a.W * b.Y - a.X * b.Z + a.Y * b.W + a.Z * b.X,
            a.W * b.Z + a.X * b.Y - a.Y * b.X + a.Z * b.W, a.W * b.W - a.X * b.X - a.Y * b.Y - a.Z * b.Z);

        public static Vec operator *(Quat q, Vec v)
        {
            Quat r = q * new Quat(v.X, v.Y, v.Z, 0) * q.Inverse;
            return new Vec(r.X, r.Y, r.Z);
        }

        /// The shortest rotation from direction a to direction b, which must not be opposite.
        public static Quat Arc(Vec a, Vec b)
        {
            a *= 1 / a.Length;
            b *= 1 / b.Length;
            return new Quat(a.Y * b.Z - a.Z * b.Y, a.Z * b.X - a.X * b.Z, a.X * b.Y - a.Y * b.X,
                1 + a.X * b.X + a.Y * b.Y + a.Z * b.Z).Unit;
        }
    }

    /// One person in one frame.
    public class PosePacket
    {
        public long Stream, Seq, Person;
        public double Timestamp;
        public double[][] Keypoints; // pixels
        public double[] Scores;
        public Vec[] Joints; // null, like the next two, for a person without a pose
        public Quat[] Rotations;
        public Vec? Root;

        const double Most = 9007199254740991; // 2^53 - 1

        /// The pose packet in a datagram; null if it is invalid, or of another version or type.
        public static PosePacket Decode(byte[] datagram)
        {
            if (datagram.Length > 1472) return null;
            try
            {
                var p = Json.Parse(new UTF8Encoding(false, true).GetString(datagram)) as Dictionary<string, object>;
                if (p == null || (p["type"] as string) != "pose" || Whole(p["version"], 1) != 1) return null;
                if (!(p["meta"] is Dictionary<string, object>)) return null;
                double[][] joints = Table(p["joints_3d"], 17, 3, true), turns = Table(p["rotations"], 17, 4, true);
                double[] root = p["root"] == null ? null : Row(p["root"], 3);
                var pose = new PosePacket
                {
                    Stream = Whole(p["stream"], 0), Seq = Whole(p["seq"], 0), Person = Whole(p["person"], -1),
                    Timestamp = Number(p["timestamp"], 0), Keypoints = Table(p["keypoints"], 17, 2),
                    Scores = Row(p["scores"], 17, 0, 1), Joints = joints?.Select(AsVec).ToArray(),
                    Rotations = turns?.Select(q => new Quat(q[0], -q[1], -q[2], q[3])).ToArray(),
                    Root = root == null ? (Vec?)null : AsVec(root),
                };
                return pose.Rotations == null || pose.Rotations.All(q => Math.Abs(q.Length - 1) < 0.01) ? pose : null;
            }
            catch (Exception e) when (e is FormatException || e is KeyNotFoundException || e is ArgumentException)
            {
                return null;
            }
        }

        static Vec AsVec(double[] p) => new Vec(-p[0], p[1], p[2]);

        static double Number(object value, double least = -Most, double most = Most) =>
            value is double d && d >= least && d <= most ? d : throw new FormatException();

        static long Whole(object value, double least) =>
            Number(value, least) % 1 == 0 ? (long)(double)value : throw new FormatException();

        static double[] Row(object value, int count, double least = -Most, double most = Most) =>
            value is List<object> list && list.Count == count
                ? list.Select(x => Number(x, least, most)).ToArray() : throw new FormatException();

        static double[][] Table(object value, int rows, int columns, bool orNull = false) =>
            value == null && orNull ? null : value is List<object> list && list.Count == rows
                ? list.Select(row => Row(row, columns)).ToArray() : throw new FormatException();
    }

    /// Selects the poses that drive the character: those of `person`, or, if null, of the first person to appear.
    public class Follower
    {
        public const double TimeoutS = 1;
        readonly long? person;
        readonly Dictionary<(long, long), long> last = new Dictionary<(long, long), long>(); // (stream, person) -> seq
        (long, long)? followed;
        double heardS = double.NegativeInfinity;

        public Follower(long? person = null) { this.person = person; }

        /// Whether to use this pose: not late, and of the person followed. A new stream is followed at once.
        public bool Take(PosePacket pose, double nowS)
        {
            if (pose.Joints == null || pose.Rotations == null || pose.Root == null) return false;
            if (person != null && pose.Person != person) return false;
            var key = (pose.Stream, pose.Person);
            bool newStream = last.Keys.All(known => known.Item1 != pose.Stream);
            if (last.TryGetValue(key, out long seq) && pose.Seq <= seq) return false;
            if (last.Count > 64) last.Clear(); // limits the memory
            last[key] = pose.Seq;
            if (!key.Equals(followed) && !newStream && !IsLost(nowS)) return false;
            followed = key;
            heardS = nowS;
            return true;
        }

        /// Whether no pose has arrived for a second: then hold the last pose, or return to the rest pose.
        public bool IsLost(double nowS) => nowS - heardS > TimeoutS;
    }

    /// A bone at rest: its position and rotation in the model's space, and its parent, null for the topmost.
    public class Bone
    {
        public Bone Parent;
        public Vec Position;
        public Quat Rotation;
    }

    /// Converts poses to local rotations of a rig.
    ///
    /// A joint's rotation q is local and the identity in T-pose, so its world rotation is Q = Q(parent) q. A bone with
    /// world rotation R in T-pose then has the world rotation Q R. Its parent bone, with P in T-pose, follows the joint
    /// above it, so the local rotation is inverse(Q(above) P) Q R. If the rig does not rest in T-pose, A rotates its
    /// limbs there first: Q A instead of Q.
    public class Retarget
    {
        public static readonly string[] Joints = // names of HumanBodyBones
        {
            "Hips", "Spine", "Chest", "Neck", "Head", "LeftUpperArm", "LeftLowerArm", "LeftHand", "RightUpperArm",
            "RightLowerArm", "RightHand", "LeftUpperLeg", "LeftLowerLeg", "LeftFoot", "RightUpperLeg", "RightLowerLeg",
            "RightFoot",
        };
        static readonly int[] Parents = { -1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15 };
        const double HipsOverLeg = 0.90 / 0.83; // hip height of a standing person over thigh + shank
        readonly Bone[] bones;
        readonly Quat facing;
        readonly Quat[] lay = Enumerable.Repeat(Quat.Identity, 17).ToArray();
        readonly double leg;

        /// The rig's bones in the order of Joints; chest and neck may be null (the bone above then drives the others).
        public Retarget(Bone[] bones)
        {
            var missing = Joints.Where((name, j) => bones[j] == null && name != "Chest" && name != "Neck").ToArray();
            if (missing.Length > 0) throw new ArgumentException("the rig has no bone for " + string.Join(", ", missing));
            this.bones = bones;
            var place = bones.Select(bone => bone?.Position ?? new Vec()).ToArray();
            Vec left = place[11] - place[14];
            double yaw = Math.Atan2(left.Z, -left.X);
            facing = new Quat(0, Math.Sin(yaw / 2), 0, Math.Cos(yaw / 2));
            Lay(place, 5, new Vec(-1, 0, 0));
            Lay(place, 8, new Vec(1, 0, 0));
            Lay(place, 11, new Vec(0, -1, 0));
            Lay(place, 14, new Vec(0, -1, 0));
            lay[7] = lay[6]; // a hand turns with its arm; a foot stays level
            lay[10] = lay[9];
            leg = LegLength(place);
        }

        void Lay(Vec[] place, int first, Vec along)
        {
            for (int j = first; j < first + 2; j++) lay[j] = Quat.Arc(place[j + 1] - place[j], facing * along);
        }

        /// Returns local rotations in the order of Joints; `hips` is the position of the hips in the model's space.
        public Quat[] Apply(PosePacket pose, out Vec hips)
        {
            var turned = new Quat[17];
            var carried = new Dictionary<Bone, Quat>();
            for (int j = 0; j < 17; j++)
            {
                Quat q = facing * pose.Rotations[j].Unit * facing.Inverse;
                turned[j] = Parents[j] < 0 ? q : turned[Parents[j]] * q;
                if (bones[j] != null) carried[bones[j]] = turned[j] * lay[j];
            }
            // A standing person puts the hips at their rest position; movement is scaled by the length of the legs.
            double ratio = leg / Math.Max(LegLength(pose.Joints), 0.01);
            hips = bones[0].Position + facing * (pose.Root.Value * ratio - new Vec(0, leg * HipsOverLeg, 0));
            return bones.Select(bone => bone == null ? Quat.Identity : Local(bone, carried)).ToArray();
        }

        static Quat Local(Bone bone, Dictionary<Bone, Quat> carried)
        {
            Bone above = bone.Parent;
            while (above != null && !carried.ContainsKey(above)) above = above.Parent;
            Quat under = (above == null ? Quat.Identity : carried[above]) * (bone.Parent?.Rotation ?? Quat.Identity);
            return under.Inverse * carried[bone] * bone.Rotation;
        }

        static double LegLength(Vec[] p) => ((p[12] - p[11]).Length + (p[13] - p[12]).Length
            + (p[15] - p[14]).Length + (p[16] - p[15]).Length) / 2;
    }

    /// JSON as dictionaries, lists, strings, doubles, bools and nulls (Unity's JsonUtility cannot read nested lists).
    public class Json
    {
        readonly string text;
        int at;

        Json(string text) { this.text = text; }

        /// Throws FormatException for anything that is not one JSON value.
        public static object Parse(string text)
        {
            var json = new Json(text);
            object value = json.Value(0);
            return json.Next() == '\0' ? value : throw new FormatException();
        }

        char Next()
        {
            while (at < text.Length && " \t\r\n".IndexOf(text[at]) >= 0) at++;
            return at < text.Length ? text[at] : '\0';
        }

        bool Skip(char c)
        {
            bool there = Next() == c;
            if (there) at++;
            return there;
        }

        void Need(bool there) { if (!there) throw new FormatException(); }

        object Value(int depth)
        {
            Need(depth < 32);
            if (Skip('{'))
            {
                var items = new Dictionary<string, object>();
                if (Skip('}')) return items;
                do
                {
                    Need(Next() == '"');
                    string key = Text();
                    Need(Skip(':') && !items.ContainsKey(key));
                    items[key] = Value(depth + 1);
                } while (Skip(','));
                Need(Skip('}'));
                return items;
            }
            if (Skip('['))
            {
                var items = new List<object>();
                if (Skip(']')) return items;
                do items.Add(Value(depth + 1)); while (Skip(','));
                Need(Skip(']'));
                return items;
            }
            if (Next() == '"') return Text();
            int start = at;
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || "+-.".IndexOf(text[at]) >= 0)) at++;
            string word = text.Substring(start, at - start);
            if (word == "null") return null;
            if (word == "true" || word == "false") return word == "true";
            Need(word.Length > 0 && word.All(c => "0123456789+-.eE".IndexOf(c) >= 0));
            return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                ? number : throw new FormatException();
        }

        string Text()
        {
            var made = new StringBuilder();
            for (at++; at < text.Length && text[at] != '"'; at++)
            {
                if (text[at] != '\\') { made.Append(text[at]); continue; }
                Need(++at < text.Length);
                int known = "\"\\/bfnrt".IndexOf(text[at]);
                if (known >= 0) { made.Append("\"\\/\b\f\n\r\t"[known]); continue; }
                Need(text[at] == 'u' && at + 4 < text.Length);
                Need(ushort.TryParse(text.Substring(at + 1, 4), NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture, out ushort code));
                made.Append((char)code);
                at += 4;
            }
            Need(at++ < text.Length);
            return made.ToString();
        }
    }
}
