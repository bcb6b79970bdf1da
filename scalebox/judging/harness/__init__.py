"""Scripts that run inside the sandbox; see `scalebox.judging.sources` for how they get there.

Each is one self-contained text when it is sent: what it imports from this package is put in its
place.  They use nothing but the standard library and run on Python >= 3.8, and they never name a
third-party package literally, because a slot preloads packages whose names occur in a source.
"""
