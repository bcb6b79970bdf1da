text = input()
print((text + text).index(text, 1))
