"""What the exact answer is: ball arithmetic, correct rounding, distances in ULP, derivatives. Imports the ground.

Knows no framework and no case.
"""
