"""How source text becomes a runnable program: the table of languages, tool chains, artifacts.

`table` reads the entries (`*.toml`), `toolchains` finds their compilers and interpreters on this
host, `build` says what has to run in a slot to make an artifact, and `artifacts` keeps what came
out.  Nothing is compiled outside a slot; this room only prepares and stores.
"""
