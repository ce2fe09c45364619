"""A variant's expression as steps, and what came of them on a backend.

Imports casefile, backends, truth, ground.
"""
