"""Daemons that know of each other and take test cases from each other.

`sealing` decides who is heard, `providers` say where to look for others.
"""
