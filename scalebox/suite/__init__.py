"""The evaluation suite: one configuration file, one reproducible number.

A run is one benchmark and one model: tasks are read (`benchmarks`), answers sampled (`sampling`) or
read from a file, judged by a daemon through the client (`run`), and counted (`estimate`).  Whatever
is dear is written down before it is built on (`journal`), so a run goes on wherever it was killed.
Nothing in here knows how programs are run or judged.
"""
