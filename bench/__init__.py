"""What `make bench`, `make labels` and `make load` run; every figure in the docs comes from here."""
