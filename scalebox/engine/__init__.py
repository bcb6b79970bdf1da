"""A submission becomes a report: taken in, compiled, its cases scheduled, judged and added up.

Theory of operation.  A request enters through `service.Engine` and is a coroutine of its caller:
cancelling the call drops the work, and nothing of it outlives the answer.

1. `admission` refuses what is over a bound, with the place and the bound, or takes it: from then on
   it holds its share of the queue (counted in cases, also those that are not queued yet), of the
   bytes that may wait, and of the uploaded `blobs` that it names.
2. `builder` finds or makes the artifact: identical compilations in flight are one, and results are
   kept.  A compilation is a run like others, in a slot, under limits of its own.  `headers`
   precompiles.
3. A `judgement` (`stdio`, `calls`, `asserts`) turns cases into jobs and hears of each as it ends.
   It says what a run is (`RunSpec`), and what its outcome means, by `verdicts` where the kernel has
   said enough and by the room `judging` where not.  Slow comparisons go `aside`, to a thread.
4. The `scheduler` gives slots their next job: `fairness` says whose it is, in CPU seconds; memory
   is admitted like cores; a run that must be measured alone gets the host for itself, within 5 % of
   the time.  Jobs are plain callbacks on the event loop, no task each: the budget is a few dozen
   microseconds a case.
5. `results` add up to the report, which does not depend on the order in which cases ended.

Failures of ours (a slot that dies, a run that cannot be set up) are tried again on another slot,
`engine.retries` times, and then are `internal_error`; they are never a verdict about the program.
What a program can bring about must therefore never look like one: a submission that could choose
`internal_error` or `judge_error` would be left out of the training instead of judged.

What crosses to the rooms beside: upwards, structures of `model` and errors of `errors`, through
`Engine` alone.  Downwards, `RunSpec` and `RunOutcome` (an outcome's descriptors belong to whoever
has it, and are closed once), a pool's slots as `scheduler.RunsPrograms`, and a language's recipe
from `languages`.  The engine knows neither HTTP nor processes.
"""
