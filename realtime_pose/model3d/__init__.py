"""Characters: a GLB or VRM file and poses in; bones, retargeted motion and skinned meshes out."""
