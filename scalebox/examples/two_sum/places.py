def two_sum(numbers, target):
    places = {}
    for place, number in enumerate(numbers):
        if target - number in places:
            return [places[target - number], place]
        places[number] = place
