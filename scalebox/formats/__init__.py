"""Tests as others write them, in our own words: read by what trains as well as by the daemon.

Nothing here runs or judges, and nothing of what is read is trusted: it comes over the wire, and out
of data sets that anybody may have made.
"""
