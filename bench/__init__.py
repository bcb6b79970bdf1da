"""What `make bench`, `labels` and `load` run; every figure in the docs comes from here."""
