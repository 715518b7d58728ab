"""Tools without domain words; nothing here knows of poses."""
