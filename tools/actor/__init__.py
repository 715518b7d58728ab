"""The synthetic actor: a body of our own making that performs, is filmed, and whose exact 3D truth is known.

`truth` reads what was kept of the performance and needs numpy alone; the other modules make the actor
(`python -m tools.actor`) and need the `actor` extra.
"""
