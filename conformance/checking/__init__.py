"""Cases, registry and schemas held against each other; entries proposed for what fails.

Imports reports, suite, runfile, judging, casefile, words, backends, ground.
"""
