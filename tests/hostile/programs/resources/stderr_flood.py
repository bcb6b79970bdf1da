#| what = "Tracebacks for ever on standard error"
#| covers = ["stderr flood"]
#| verdict = ["output_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 262144, file_bytes = 262144 }
import sys
import traceback

while True:
    try:
        raise ValueError("x" * 1000)
    except ValueError:
        try:
            traceback.print_exc()
            sys.stderr.flush()
        except OSError:
            continue
