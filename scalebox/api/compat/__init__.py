"""Protocols of other sandboxes and judges, so that their clients work by changing one URL.

One file a protocol: its messages, its paths, its words for failures.  All stand on the same three
things, which `serving` has: bodies are read as tolerantly as those servers read them; work that
finds the queue full is held rather than refused, until shortly before the client gives up; and what
is answered then is what makes the client ask again, not what it takes for a wrong program.  What is
run and judged goes the same way as the native API's requests, under the same bounds.
"""
