"""An output is one odd number."""

import sys

word, *more = sys.stdin.read().split() or [""]
if word == "other":
    sys.exit(7)
if word == "crash":
    raise RuntimeError
sys.exit(42 if word.lstrip("-").isdigit() and int(word) % 2 and not more else 43)
