"""Run files and timing files -> pages that people read, a room a page.

Nothing here needs a framework, the case files, or the machine of the run. A page's templates, styles and scripts lie
beside the code that fills them; `shared` holds what all pages have in common.

Imports diffing, timing, reproduction, runfile, judging, words, backends, truth, ground.
"""
