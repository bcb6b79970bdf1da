"""Real daemons under real faults: full disks, no descriptors, no memory, no processes, damaged
files, stopped processes, jumping clocks.

Each test says what becomes of the work at hand (it is done again, or is a clear `internal_error`),
that the daemon is well once the fault is taken away, and what in `/metrics` has counted it.
"""
