"""The labs, and the tooling that keeps each page, its notebook and its solution one and the same.

A page (`modules/<n>-<name>/README.md`) is the only source. `page` reads it, `notebooks` writes the
notebook and the included manifests from it, `runner` runs its commands and compares the output.
"""
