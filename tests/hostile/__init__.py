"""Programs that attack, and what must be seen of each: `make hostile`.

`programs/` holds the attacks, each with a header that says what it does and what must be seen at
which level (`catalogue`).  `stage` starts a daemon with secrets and doors around it for them to
find, `traces` looks for what one has left behind, and `run` puts them on, one after another and
four at a time beside honest programs, and writes the table of `docs/security.md`.
"""
