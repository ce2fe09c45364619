"""A conformance suite for array operations across PyTorch, TensorFlow, JAX and NumPy.

The data's path, and where each step of it lives:

``casefile``   YAML text -> cases -> variants
``ops``        what an operation means: signature, exact definition, error budget
``truth``      exact arithmetic, correct rounding, distances in ULP
``backends``   one adapter a framework
``execution``  variant + backend -> outcome
``judging``    outcome + truth + expectation + divergences -> verdict
``runfile``    what one backend's run recorded
``reproduction``  a result -> a script that repeats it without this suite
``reports``    run files -> pages that people read

Importing this package imports no framework, and nothing else that is slow.
"""

__version__ = "0.1.0"
