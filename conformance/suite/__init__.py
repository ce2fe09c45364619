"""The pytest face: options, and a test module whose items are the cases, each in a mode of a backend.

    pytest --pyargs conformance.suite --backend torch -k softmax
"""
