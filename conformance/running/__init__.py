"""`conformance run`: a supervised process a backend, followed through its run file.

Imports suite, runfile, judging, execution, casefile, backends, ground.
"""
