"""Holds the rendered templates against public scanners and writes docs/compliance.md from what they say.

    python -m tools.compliance

The scanners are no dependencies of the project: each is installed from PyPI or npm, at the version stated in
`environments`, into an environment of its own below the user's cache folder. Node.js has to be there for two of them.
"""
