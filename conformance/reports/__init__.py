"""Run files -> pages that people read. Nothing here needs a framework, the case files, or the machine of the run."""
