"""Test data as LiveCodeBench packs it: base64 of zlib of a pickle, all of it from strangers.

Only pickles of plain texts, lists and dictionaries are read: each instruction is looked at before
any is carried out, none of them can name a class or a function, and sizes and numbers are bounded.
"""

from __future__ import annotations

import base64
import binascii
import io
import pickle
import pickletools
import zlib
from typing import Any

from scalebox.errors import BadRequestError

#: What test data may become when it is unpacked.
MAX_UNPACKED_BYTES = 256 << 20
#: A dictionary with one text takes ten; a list of texts two or three for each.
_MAX_INSTRUCTIONS = 100_000
_ALLOWED = frozenset(
    {
        "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINPUT", "BINGET", "NONE", "NEWTRUE",
        "NEWFALSE", "BININT", "BININT1", "BININT2", "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE",
        "BINUNICODE8", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS",
    }
)  # fmt: skip


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is not plain data")


def looks_packed(text: str) -> bool:
    """Whether a text begins as base64 of zlib does."""
    return text.startswith(("eJ", "eN", "eF", "eA")) and not any(map(str.isspace, text[:32]))


def unpacked(text: str, place: str) -> Any:
    """The plain data in a text.

    Parameters:
        text: base64 of zlib of a pickle.
        place: of the text, for the message.

    Raises:
        BadRequestError: it is something else, or too large.
    """
    try:
        squeezed = base64.b64decode(text, validate=True)
        opener = zlib.decompressobj()
        data = opener.decompress(squeezed, MAX_UNPACKED_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise BadRequestError("expected base64 of zlib of a pickle", field=place) from None
    if not opener.eof:
        words = "is cut off"
        if len(data) >= MAX_UNPACKED_BYTES:
            words = f"is over {MAX_UNPACKED_BYTES} bytes when unpacked"
        raise BadRequestError(f"the packed data {words}", field=place)
    try:
        for number, (code, _, _) in enumerate(pickletools.genops(data)):
            if code.name not in _ALLOWED or number >= _MAX_INSTRUCTIONS:
                raise BadRequestError("the pickle holds more than plain data", field=place)
        return _Plain(io.BytesIO(data)).load()
    # A pickle that is none can raise anything.
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, EOFError, RecursionError):
        raise BadRequestError("expected a pickle of plain data", field=place) from None
    except (AttributeError, MemoryError, OverflowError):
        raise BadRequestError("expected a pickle of plain data", field=place) from None
