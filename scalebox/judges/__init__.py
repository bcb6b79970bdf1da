"""Judges in folders: `folder` reads one with its examples, `directory` finds those that ship.

Nothing is decided here.  What a name stands for goes back as a judge of `scalebox.model`, for the
engine to run; daemon and command line both read the folders, so this knows only the vocabulary.
The folders themselves are in `judges/` at the top of the tree, whose README has their layout.
"""
