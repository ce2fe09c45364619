"""How large things from elsewhere may be: case files, run files, arguments.

Each number stands here with its reason, and in the error that refuses what goes past it. They leave room for many times
what the suite itself has, and bound what a file can cost before anything of it is run.
"""

from __future__ import annotations

CASE_FILE_BYTES = 2 * 1024 * 1024
"""The largest file that comes with the suite has 140 KB. One of 2 MiB that is all numbers takes some 10 s to check."""

CASE_FILES = 5_000
"""The suite has some 35. Five thousand small ones are read in about 10 s."""

FOLDER_ENTRIES = 100_000
"""Files and folders that are looked at for case files: a mistyped `--cases /` ends within seconds."""

CORPUS_BYTES = 64 * 1024 * 1024
"""Of all case files together: their texts stay in memory, for the run files."""

MISTAKES = 1_000
"""Told of one corpus. Nobody reads more, and each is looked up in its file."""

YAML_DEPTH = 24
"""Levels of lists and mappings: an array of 8 axes under `given` has 13."""

NUMBER_CHARACTERS = 1_000
"""Of one number in YAML. The exact decimals of the smallest subnormal float64 are 767 digits."""

MESSAGE_CHARACTERS = 1_000
"""Of one error about a file, whatever it quotes."""

EXPRESSION_CHARACTERS = 4_000
"""Of a `call` or `claim`. The longest of the suite has 155."""

EXPRESSION_DEPTH = 12
"""Calls within calls. The suite's deepest has 5."""

INTEGER_BITS = 64
"""Of an integer in an expression or of a grid's value: what the widest dtype holds."""

PRINTED_AXES = 16
"""NumPy 1 had 32, printouts that people read have 4 at most."""

PRINTED_NUMBERS = 65_536
"""In one printout. Frameworks leave out the middle of arrays of more than 1,000 elements unless told otherwise."""

PRINTED_CHARACTERS = 400
"""Of one printed number: the largest float64 in full, with its decimals, has 309 digits before the point."""

PRINTED_EXPONENT_DIGITS = 3
"""Of the exponent of a printed number: float64 ends at e-324 and e+308."""

ELEMENTS = 2**20
"""Of an array under `given`, and of every result that a call gives. Exact arithmetic takes 2 to 10 µs and some 0.3 KB
for each, so that one variant stays under 10 s and 400 MB; the suite's largest array has 65,521."""

RANK = 8
"""Axes of an array. Beyond 8, XLA's and cuDNN's layouts end."""

INPUTS = 32
"""Of one case. The suite's cases have 4 at most."""

CASE_VARIANTS = 20_000
"""Of one case: its grid is gone through for every check of it."""

CORPUS_ARRAYS = 200_000
"""Inputs of all variants of all cases together, some 40 times what the suite has: each is checked when the cases are
read, in some 20 µs, and a variant takes about 0.5 KB of memory."""

LABEL_CHARACTERS = 100
"""Of one grid value in a variant's ID: file systems, terminals and URLs have to carry it."""

PATTERN_CHARACTERS = 1_000
"""Of one pattern of variant IDs, and of a `-k` expression. Matching takes time in proportion to it."""

KEYWORD_PARTS = 100
"""Operators and brackets of a `-k` expression: with some 200 of them, pytest's parser goes past Python's recursion."""

DOCUMENT_BYTES = 16 * 1024 * 1024
"""Of the document that `check --document` reads whole."""

RUN_LINE_BYTES = 32 * 1024 * 1024
"""Of one line of a run file. The longest are a header, with the source of every spelling (some 100 KB), and a variant's
inputs, of at most 4,096 elements each (44 KB)."""

RUN_FILE_MODES = 100
"""Of one run file. TensorFlow has 4; a page compares each with each, and has a column for every one."""

RUN_FILE_VARIANTS = 5_000_000
"""Cases and variants of one run file: their IDs stay in memory while it is read, some 200 bytes for each."""

TIMING_FILE_BYTES = 256 * 1024 * 1024
"""A full bench of one backend writes some 6 MB: 40 times as many cells have room."""
