"""What all pages have in common: the frame, columns, plots, links, tallies.

Imports runfile, words, backends, ground.
"""
