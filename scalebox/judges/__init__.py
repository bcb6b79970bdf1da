"""Judges in folders, and those that a daemon keeps.

`folder` reads one in a folder with its examples, `directory` finds those that ship.  `store` keeps
others in a file (`database`, `rows`, `states`, `content`, `names` are its parts), `exchange` lays
them out in folders, and `catalogue` knows both kinds by name and counts how the store's do
(`service`).

Nothing is decided here.  What a name stands for goes back as a judge of `scalebox.model`, for the
engine to run; daemon and command line both use it, so this knows only the vocabulary.  The folders
of those that ship are in `judges/` at the top of the tree, whose README has their layout.
"""
