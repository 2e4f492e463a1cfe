"""The validator: tells a learner how an exercise went, and what to do next.

``python -m validator`` is its only entrance. It reads the cluster once
(``cluster``), judges what it read without any further input or output
(``engine``, ``diagnosis``, ``near_misses``, ``evidence``, ``exercises``), and
prints a report (``report``).
"""
