"""`conformance smoke`: is it the adapter that is broken, or the framework?

Imports execution, words, ops, backends, ground.
"""
