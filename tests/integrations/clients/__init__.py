"""Trainers and harnesses with our callables and drop-ins; `make compat-test` runs them."""
