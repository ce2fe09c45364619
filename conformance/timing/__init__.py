"""Timing: what is timed, how, what a timing file says, and how it is read. Imports running, judging, execution.

Files are read without any framework.
"""
