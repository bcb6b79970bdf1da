"""Engines and trainers that others made, and how they use ScaleBox: each a thin file.

Each file needs the package that it is named after, which an extra of the same name installs, and
nothing else imports it.  What is common to several is `spread`: submissions over daemons that come
and go; `inprocess`: in the place of harnesses that run code in process, whose programs inside the
sandbox are in `inside`.
"""
