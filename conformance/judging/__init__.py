"""An outcome held against the exact answer, its budget and the registry: the verdict.

Imports execution, casefile, words, ops, truth, ground.
"""
