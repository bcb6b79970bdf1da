"""Daemons that know of each other and take test cases from each other; no master, nothing lost.

Theory of operation.  Every daemon is a node, and every node does the same.

1. `membership` says who is there.  Once a period a node probes one other (SWIM), and probe and
   answer carry what is new: who came, is suspected, died or left, and whose backlog is worth
   taking from.  What a message carries is bounded, so that the traffic of one node grows with the
   logarithm of their number at most.  Where two find that they know different things and it stays
   so, they exchange what differs.
2. A backlog that appears suddenly is a *rumour*: it is pushed to a few nodes at once, and by them
   to a few others, so that the idle hear of it in milliseconds, not in periods.
3. An idle node asks a victim for a *lease*: a batch of cases of one submission, about half of what
   the victim can spare.  It may lend from it in turn, so that a burst on one node feeds the others
   as a tree.  Results go back as they come; each frame of them renews the lease.  When a lease
   expires, or its holder is dead, its unanswered cases go back to the queue.
4. Whom to ask, how much to lend, how long to wait: `policy`, pure functions over plain values. The
   simulator (`bench/simulate.py`) runs them, and `membership`, for thousands of nodes, just as the
   daemon does for its own.

What travels is in `records`.  `membership` (with `loads` and `turns`) and `policy` know neither
clock nor network, and have no chance of their own: time is an argument, and so are random numbers.
"""
