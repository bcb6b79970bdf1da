"""Warm equals cold: a program run by the zygote cannot be told from `python3 solution.py`.

Every program is executed both ways in the same slot, and standard output, standard error and the
exit status must be identical.  What may differ is listed in `conformance.PERMITTED`.
"""
