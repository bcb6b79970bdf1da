"""Real clients that speak compatible protocols; `make compat-test` runs them."""
