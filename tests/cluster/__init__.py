"""Tests of several daemons that talk to each other, each on a host of its own."""
