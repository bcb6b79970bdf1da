#| what = "Objects that hold each other, more of them for ever: the collector finds nothing to free"
#| covers = ["managed heap"]
#| verdict = ["memory_limit_exceeded"]
#| limits = { cpu_time_s = 3.0, wall_time_s = 6.0, memory_bytes = 67108864 }
chain = {}
while True:
    chain = {"older": chain, "text": str(id(chain)) * 40}
