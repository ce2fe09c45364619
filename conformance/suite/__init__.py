"""The pytest face: options, and a test module whose items are the cases, each in a mode of a backend.

Run it with ``pytest --pyargs conformance.suite --backend torch -k softmax``.

Imports runfile, judging, execution, casefile, words, ops, backends, truth, ground.
"""
