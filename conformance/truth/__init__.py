"""What the exact answer is: ball arithmetic, correct rounding, distances in ULP, derivatives.

Knows no framework and no case.

Imports ground.
"""
