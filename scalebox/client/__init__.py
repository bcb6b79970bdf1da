"""What trainers and evaluators import: a daemon's API as typed Python calls.

`aio.AsyncClient` and `sync.Client` hold connections to one daemon, over its Unix socket or over
HTTP; `local` starts a private daemon for a notebook or a test; `problems` reads problems from
files.  How anything is run or judged is the daemon's matter.  The names that users need are in
`scalebox` itself.
"""
