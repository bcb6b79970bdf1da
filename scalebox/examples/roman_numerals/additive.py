def to_roman(number):
    letters = ""
    for value, letter in zip((1000, 500, 100, 50, 10, 5, 1), "MDCLXVI"):
        letters += letter * (number // value)
        number %= value
    return letters
