"""The actors' bodies: measures and looks in; meshes, joint weights and a GLB out."""
