#| what = "Returns a class whose metaclass makes it equal to everything"
#| covers = ["always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
class Meta(type):
    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return 0

    def __instancecheck__(cls, instance):
        return True


class ordered(metaclass=Meta):
    def __new__(cls, numbers):
        return cls
