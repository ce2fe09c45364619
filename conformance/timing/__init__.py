"""Timing: what is timed, how, what a timing file says, and how it is read.

Files are read without any framework.

Imports running, suite, runfile, judging, execution, casefile, words, ops, backends, truth, ground.
"""
