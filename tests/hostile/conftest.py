"""The attacks are data, whatever some of them are called."""

collect_ignore_glob = ["programs/*"]
