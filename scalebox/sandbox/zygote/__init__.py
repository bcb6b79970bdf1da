"""What runs inside a slot: standard library only, any Python >= 3.8, started as a program.

The daemon starts this package with the *judge's* interpreter (`python3 <this folder>`), which may
be older than the daemon's and has none of its dependencies.  The daemon itself imports only `wire`
from here, so that both ends of the control socket share one definition.

`__main__` builds the namespaces and forks pid 1; `supervise` is pid 1's loop; `child` turns a fork
into the program; `rootfs`, `meter` and `kernel` are what they stand on.
"""
