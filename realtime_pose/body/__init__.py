"""One person's body: lifted joints in, bone lengths, profile, head orientation and joint angles out."""
