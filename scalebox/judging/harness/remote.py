"""On the tester's side: an object of the submission's, which is in another process."""

from __future__ import annotations

from typing import Any


class UnproxiableError(BaseException):
    """The test needs something that two processes cannot give it."""


class Remote:
    """An object in the submission's process: a function, a class, an instance, a generator.

    One look at it (its length, its items, its text) is as good as a value that was returned.  At
    the second one it could be another object; unless the test itself changed it in between, or
    the two agree (as many items as its length, which `list` and `sorted` ask first), that is trust.
    Attributes and methods are left out: who uses them tests a class, and means that.

    Names with underscores on both sides are the interpreter's and the libraries' business, which
    believe in what they find there: code in annotations, addresses of memory in an array's
    interface.  Its own attributes have names that no submission's class has.
    """

    __slots__ = tuple(
        "_scalebox_" + name for name in ("link", "number", "name", "looked", "owner", "beside")
    )

    def __init__(self, link: Any, number: int, name: str) -> None:
        object.__setattr__(self, "_scalebox_link", link)
        object.__setattr__(self, "_scalebox_number", number)
        object.__setattr__(self, "_scalebox_name", name)
        #: Whether it was looked at; a number if only at its length.
        object.__setattr__(self, "_scalebox_looked", False)
        object.__setattr__(self, "_scalebox_owner", None)
        object.__setattr__(self, "_scalebox_beside", False)

    def _scalebox_look(self, operation: str, *args: Any) -> Any:
        if object.__getattribute__(self, "_scalebox_looked") is not False:
            _link(self).trusting = True
        object.__setattr__(self, "_scalebox_looked", True)
        return self._scalebox_ask(operation, *args)

    def _scalebox_ask(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        return _link(self).ask(
            operation, object.__getattribute__(self, "_scalebox_number"), *args, **kwargs
        )

    def __call__(*args: Any, **kwargs: Any) -> Any:
        remote = args[0]
        link = _link(remote)
        owner = object.__getattribute__(remote, "_scalebox_owner")
        if owner is not None:
            object.__setattr__(owner, "_scalebox_looked", False)
        value = link.ask(
            "call", object.__getattribute__(remote, "_scalebox_number"), *args[1:], **kwargs
        )
        if type(value) is not Remote and object.__getattribute__(remote, "_scalebox_beside"):
            link.trusting = True
        return value

    def __getattr__(self, name: str) -> Any:
        if name[:2] == name[-2:] == "__" and name not in _TEXTS_OF_FUNCTIONS:
            return _refuse(name)(self)
        value = self._scalebox_ask("getattr", name)
        if type(value) is Remote and value is not self:
            object.__setattr__(value, "_scalebox_owner", self)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, "_scalebox_looked", False)
        self._scalebox_ask("setattr", name, value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Remote:
            return False
        if other is self:
            return True
        _link(self).trusting = True
        return self._scalebox_ask("eq", other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(object.__getattribute__(self, "_scalebox_number"))

    def __iter__(self) -> Any:
        length = object.__getattribute__(self, "_scalebox_looked")
        if type(length) is int:
            object.__setattr__(self, "_scalebox_looked", False)
        iterator = self._scalebox_look("iter")
        count = 0
        while True:
            try:
                item = iterator._scalebox_ask("next")
            except StopIteration:
                if type(length) is int and count != length:
                    _link(self).trusting = True
                return
            count += 1
            if type(length) is int and count > length:
                _link(self).trusting = True
            yield item

    def __next__(self) -> Any:
        return self._scalebox_ask("next")

    def __getitem__(self, key: Any) -> Any:
        return self._scalebox_look("getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        object.__setattr__(self, "_scalebox_looked", False)
        self._scalebox_ask("setitem", key, value)

    def __len__(self) -> int:
        before = object.__getattribute__(self, "_scalebox_looked")
        length = self._scalebox_ask("len")
        if before is not False and (type(before) is not int or before != length):
            _link(self).trusting = True
        elif type(length) is int:
            object.__setattr__(self, "_scalebox_looked", length)
        return length  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return self._scalebox_look("bool") is True

    def __str__(self) -> str:
        return str(self._scalebox_look("str"))

    def __repr__(self) -> str:
        return str(self._scalebox_look("repr"))


_TEXTS_OF_FUNCTIONS = ("__name__", "__qualname__", "__doc__", "__module__")


def _link(remote: Any) -> Any:
    return object.__getattribute__(remote, "_scalebox_link")


def _refuse(name: str) -> Any:
    def operation(self: Any, *args: Any) -> Any:
        kind = object.__getattribute__(self, "_scalebox_name")
        return _link(self).fail(UnproxiableError("%s of a %s of the submission" % (name, kind)))

    return operation


# What would show the submission a value of the test's, or needs a true class, needs one process.
for _name in (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul "
    "rmatmul and rand or ror xor rxor lshift rlshift rshift rrshift divmod rdivmod iadd isub imul "
    "lt le gt ge contains delitem neg pos abs invert int float complex index round enter exit "
    "reversed instancecheck subclasscheck mro_entries format reduce_ex await aiter anext"
).split():
    setattr(Remote, "__%s__" % _name, _refuse("__%s__" % _name))
