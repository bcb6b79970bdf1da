"""Run ONE program under limits, and report exactly what happened.  No verdicts, tests or HTTP here.

Theory of operation
===================

A *slot* is a place where one program at a time runs.  It is made of these processes:

    scaleboxd ─┬─ launcher ──┄ (gone when its work is done)
               └─ pid 1, the zygote ─┬─ the program ── whatever the program starts
                                     └─ a trusted tester beside it, for some ways of testing

`pool` decides how many slots there are, at the strongest isolation level that works, and starts a
slot again that has died.  `slot` is one of them as the daemon sees it.  What runs inside is
`zygote/`, a program of its own: it is executed by the *judge's* Python, which may be older than the
daemon's and has none of its packages.

Birth.  The daemon spawns the launcher with one end of a socket pair, and sends it the slot's
settings as the first packet.  The launcher joins the slot's cgroup, opens the cgroup's files (from
inside they are not to be seen), makes the namespaces, forks pid 1, tells its process id, and exits;
pid 1 becomes a child of the daemon, which is a child subreaper.  Pid 1 waits for that exit, asks
the kernel to be killed when its parent dies (who that is, is settled only now), builds the file
tree and enters it, imports the customary modules, installs the seccomp filter for itself and all to
come, and says `ready`.  Anything that fails on the way is told in words, and the pool tries the
next weaker level, if the configuration lets it.

A run.  One SOCK_SEQPACKET socket joins daemon and pid 1: a request is one packet, and so is its
reply; what is long travels as descriptors of files in memory (`zygote/wire`, and `spec` for the
daemon's end).  Pid 1 makes a fresh tmpfs, forks, and the child, which is in the cgroup and in the
namespaces by birth, gives up every privilege and becomes the program.  There are no pipes between
the daemon and a program: input is a sealed file or a file opened afresh, output goes to files in
memory.  Pid 1 sleeps on the child's pidfd, the control socket and, where results are written line
by line, on a pipe that it alone reads; it wakes when a limit could first be reached.  At the end it
kills all that is left (`kill(-1)` in its own namespace), reaps until there is nothing to reap,
reads the kernel's accounts, drops the tmpfs and replies.

Who watches whom, and what happens when one dies:

- The program ends, or has to be ended: pid 1 sees to it, as above.  A program cannot get at pid 1:
  another user or no capabilities, and pid 1 takes no signal from inside.
- Pid 1 dies (killed, out of memory, a fault of ours): the kernel kills all in its pid namespace;
  the daemon reads the end of the control socket, gives the run back to be done elsewhere, and
  starts the slot again when pid 1 is reaped.  Nothing of it is left then: the kernel lets a
  namespace's pid 1 be reaped only after all the others.
- Pid 1 hangs: after the run's wall-clock limit the daemon asks for signs of life, and in the end
  kills the slot: `cgroup.kill` where there are cgroups, and SIGKILL to pid 1.
- The launcher dies: the socket ends, and the start has failed.
- The daemon dies: the kernel kills every pid 1 (PR_SET_PDEATHSIG), and its namespace with it.  What
  stays is a folder and empty cgroups, named after the dead process; `leftovers` lets the next
  daemon remove them, and `cgroups` knows theirs from those of a daemon that lives.
- The daemon is to end: it closes the slots, waits for the dead, and removes folders and groups.

Without a pid namespace (level `minimal`) the kernel does none of this: whoever leaves its parent
would live on.  There the launcher stays, as the slot's *keeper*:

    scaleboxd ── keeper ── zygote ── the program ── …

Both keeper and zygote are child subreapers.  During a run orphans become the zygote's children, and
it finds its descendants in /proc to kill them.  The keeper sleeps on two pidfds, the daemon's and
the zygote's: when either ends, or at a SIGTERM from the daemon, it stops all of its descendants
(what is stopped cannot fork), kills them, and again until it has no child; then it ends.  No
program can signal it: Landlock's scope or a filter keeps signals inside.  When the keeper itself
dies, the kernel kills the zygote with it; what was left becomes the daemon's children, known by the
seccomp filter that they cannot take off (`strays`).  If daemon and keeper are killed both at once,
the next daemon looks for such processes by their folder and environment, which a program can leave:
this is the one case in which something can survive.

Cgroups (`cgroups`, `cgroup1`, `cgroup2`) are one group a slot, for limits, accounts and the kill of
last resort; the keeper is outside of it.  Under version 2 no group with controllers for its
children may hold processes, so the daemon moves into a leaf of its own (`scaleboxd`), and back at
its end.
"""
