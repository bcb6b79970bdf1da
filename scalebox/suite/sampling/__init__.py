"""Answers to tasks: asked of a model's endpoint, or read from a file.

`prompts` is what a model is asked; `endpoint` asks it, a bounded number of requests at once, and
asks again where that may help (`wire` is one request, `answers` what an answer means, `pace` when
the next may go, `keys` the secret); `files` reads answers that there are already.  What is kept of
them, and where, is `run`'s.
"""
