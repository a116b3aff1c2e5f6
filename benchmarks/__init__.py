"""Benchmarks: seeded workloads, answered by segrules and by its peers, answers compared before times.

`python -m benchmarks` (or `make bench`) runs everything; `--help` lists what can be changed.
"""
