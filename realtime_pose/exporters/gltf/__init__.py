"""glTF exporters: one person's poses in; GLB, VRMA and FBX animations out."""
