"""The control protocol between the daemon and a slot's pid 1: one definition for both ends.

One SOCK_SEQPACKET socket a slot; one run at a time.  A request is a packed header and sections;
over `INLINE_BYTES` the sections travel in a descriptor instead.  Replies are never unpickled or
unmarshalled: fixed numbers, and bytes whose lengths are checked.
"""

from __future__ import annotations

import struct

#: Sections and outputs larger than this go by descriptor: well below the default socket buffer.
INLINE_BYTES = 48 * 1024
#: The largest packet either side sends.
PACKET_BYTES = 64 * 1024

# Request types.
RUN = 1
CANCEL = 2
PING = 3
#: The answer to a PING.
PONG = 4

# Programs.
PYTHON_SOURCE = 1  #: compile the source in the child, then execute it as `__main__`
PYTHON_CODE = 2  #: source for tracebacks, and the marshalled code to execute
PYTHON_COMPILE = 3  #: compile the source and write the marshalled code to standard output
EXECUTE = 4  #: execve the program descriptor, or argv[0] where there is none

# Request flags.
BODY_FD = 1  #: the sections are in the first descriptor
STDIN_FD = 2  #: standard input is the next descriptor
PROGRAM_FD = 4  #: the executable is the next descriptor
CHANNEL = 8  #: give the program descriptor 5 and return what it writes there
DRIVER = 16  #: run a second program (Python) joined to the first by crossed pipes
DRIVER_CODE = 32  #: it comes as marshalled code

#: type, run id, program, flags, then: CPU ns, wall ns, memory, output, file bytes, processes,
#: open files, stack bytes, channel records; then section lengths: source, code, stdin, driver
#: source, driver stdin, options (JSON), files.
REQUEST = struct.Struct("<BQBIQQQQQQQQQQQQQQQQ")
#: CANCEL, PING and PONG: type, run id.
CONTROL = struct.Struct("<BQ")

#: One entry of the files section: path length, content length, mode; then path and content.
FILE_ENTRY = struct.Struct("<HQI")

# Reply flags: why the run ended, and what else was seen.
CPU_EXCEEDED = 1
WALL_EXCEEDED = 2
OUT_OF_MEMORY = 4
OUTPUT_EXCEEDED = 8
CANCELLED = 16
SETUP_FAILED = 32
COMPILE_FAILED = 64
PROCESSES_EXCEEDED = 128
EXEC_FAILED = 256
PEER_DIED = 512

# Reply descriptors, in this order: what is too long to be inline; then the fetched files.
CHANNEL_FD = 1 << 18
STDOUT_FD = 1 << 16
STDERR_FD = 1 << 17
DESCRIPTOR_FLAGS = CHANNEL_FD | STDOUT_FD | STDERR_FD

#: run id, flags, wait status, peer's wait status (-1: none), CPU ns, wall ns, peak bytes, pid 1's
#: own CPU ns; lengths: stdout, stderr, channel, channel times (u64 each), message, files.
REPLY = struct.Struct("<QIiiQQQQQQIIII")
#: One entry of the reply's files section: path length; its content is one of the descriptors.
FILE_REPLY = struct.Struct("<H")
#: Descriptors in one packet (SCM_MAX_FD is 253).
MAX_FETCHED_FILES = 64
