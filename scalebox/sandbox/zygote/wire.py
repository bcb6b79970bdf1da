"""The control protocol between the daemon and a slot's pid 1: one definition for both ends.

One SOCK_SEQPACKET socket a slot; one run at a time.  A request is a packed header and sections;
over `INLINE_BYTES` the sections travel in a descriptor instead.  Replies are never unpickled or
unmarshalled: fixed numbers, and bytes whose lengths are checked.  `native/runs.c` reads and writes
the same structures, which is why every number lies at a multiple of its size.
"""

from __future__ import annotations

import struct

#: Sections and outputs larger than this go by descriptor: well below the default socket buffer.
INLINE_BYTES = 48 * 1024
#: The largest packet either side sends.
PACKET_BYTES = 64 * 1024

#: The first packet is the slot's settings, marshalled in this version, which every Python reads:
#: the zygote trusts the daemon, and `json` would be pages that every fork copies.
SETTINGS_MARSHAL_VERSION = 2
#: Before its first run a slot says one of these words and texts after it, joined by NULs: pid 1 (as
#: the host sees it); the interpreter's version and notes for the operator; what went wrong.
SAYS_PID, SAYS_READY, SAYS_FAILED = "pid", "ready", "failed"

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

# Request flags.  Descriptors come in this order: body, standard input, program, tester's input,
# pipes.
BODY_FD = 1  #: the sections are in a descriptor
STDIN_FD = 2  #: standard input is a descriptor
PROGRAM_FD = 4  #: the executable is a descriptor
CHANNEL = 8  #: give the program descriptor 5 and return what it writes there
#: Run a second program (Python, marshalled code) joined to the first by crossed pipes.  Its input
#: is always a descriptor: pid 1 must not have read what the first program must not know.
DRIVER = 16
#: Two ends of pipes, in the place of standard input and output: another slot's program has the
#: others.  Pid 1 keeps neither open, so that each program sees the end of the other.
PIPES = 32

#: type, program, run id, flags, (unused), then: CPU ns, wall ns, memory, output, file bytes,
#: processes, open files, stack bytes, channel records; then the sections' lengths.
REQUEST = struct.Struct("<IIQII9Q8Q")
#: The sections, in order: Python source, marshalled code, standard input, the driver's code;
#: arguments, variables (NAME=value) and paths to fetch, each ended by a NUL; files.  A path to
#: fetch that ends in `/` is that of a folder, and means all files below it.
SOURCE, CODE, STDIN, DRIVER_CODE, ARGV, ENVIRONMENT, FETCH, FILES = range(8)
SECTIONS = 8
#: CANCEL, PING and PONG: type, (unused), run id.
CONTROL = struct.Struct("<IIQ")

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
FETCH_CUT = 1024  #: of a folder that was to be handed back, not all could be
RECORDS_EXCEEDED = 2048  #: with `OUTPUT_EXCEEDED`: more records on the channel than it may write

# Reply descriptors, in this order: what is too long to be inline; then the fetched files.
CHANNEL_FD = 1 << 18
STDOUT_FD = 1 << 16
STDERR_FD = 1 << 17
DESCRIPTOR_FLAGS = CHANNEL_FD | STDOUT_FD | STDERR_FD

#: run id, flags, wait status, peer's wait status (-1: none), microseconds for which other load is
#: known to have had the core (with pipes: all of it), CPU ns, wall ns, peak bytes, pid 1's own CPU
#: ns; lengths: stdout, stderr, channel, channel times (u64 each), message, files,
#: (unused).
REPLY = struct.Struct("<QIiiI7Q4I")
#: One entry of the reply's files section: path length; its content is one of the descriptors.
FILE_REPLY = struct.Struct("<H")
#: Descriptors in one packet (SCM_MAX_FD is 253).
MAX_FETCHED_FILES = 64
#: The most that their listing takes of a reply.
LISTING_BYTES = 24 * 1024
