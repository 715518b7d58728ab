"""One person's body: lifted joints in, bone lengths, profile, head orientation and joint angles out.

`settings.BodyConfig` has the settings of all 3D stages: lifting, IK, filters and body.
"""
