"""Special judges for problems that have none: classify, infer, generate, prove.

Works beside the trainer's data, as a client of a daemon: programs and judges are run there, in its
slots, and what has been proven is put into its store.  Theory of operation:

1. `material` is what somebody has of a problem: statement, tests, programs that are known to be
   right or wrong.  `evidence` is what those programs write.
2. `classify` says whether the problem needs a special judge at all, and why it thinks so.
3. `infer` looks for the strictest judge that ships and agrees with the evidence.
4. `generate` lets a model write judges, with counter-examples until nothing speaks against them.
5. `prove` tries to refute a judge, wherever it comes from.  What it cannot refute is promoted, and
   the proof is kept with it.

`work` remembers every finished step, so that thousands of problems may take several runs.
"""
