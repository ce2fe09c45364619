"""Pages in a real browser: Debian's Chromium, driven through its driver. `tox -e browser` runs these tests."""
