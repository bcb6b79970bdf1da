total = sum(int(input()) for _ in range(int(input())))
while True:
    print(total)
