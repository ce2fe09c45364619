"""What everything stands on: dtypes, devices, limits, files, processes, verdicts. Imports nothing of this package."""
