"""Engines and trainers that others made, and how they use ScaleBox: each a thin file.

A file that needs the package that it is named after says so when it is imported, and nothing else
imports it.  What is common to several: `spread` has submissions over daemons that come and go;
`rollouts` makes rewards of models' answers, `truths` tests of data sets' ground truths, `columns`
both of tables; `inprocess` is what those share that stand in the places of harnesses which run code
in process, and their programs inside the sandbox are in `inside`.
"""
