"""The pytest face of timing: a cell is an item, and pytest-benchmark takes and writes the times.

Run it with ``pytest --pyargs conformance.timing.suite --backend torch --benchmark-json torch.json -k softmax``.
"""
