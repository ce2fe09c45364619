"""`conformance audit`: backends that are wrong on purpose, and whether the cases catch them.

Imports suite, judging, execution, casefile, words, backends, ground.
"""
