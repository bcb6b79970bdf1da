#| what = "Grows a bytearray, and takes MemoryError for no answer"
#| covers = ["memory touched"]
#| verdict = ["memory_limit_exceeded"]
#| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
kept = []
while True:
    try:
        kept.append(bytearray(b"x") * (4 << 20))
    except MemoryError:
        continue
