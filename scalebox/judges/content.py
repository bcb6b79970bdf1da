"""What the store keeps of a judge: whether it can be kept, and in which form; proofs as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from scalebox.errors import BadRequestError
from scalebox.model import Blob, FunctionJudge, NamedJudge, StorableJudge, canonical_bytes

#: Of a title.
_LONGEST = 100
_encoder = msgspec.json.Encoder(order="deterministic")


def check_content(judge: StorableJudge) -> None:
    """Whether a judge holds all of itself, as text.

    Raises:
        BadRequestError: a part of it is a blob; the error names the field.
    """
    if isinstance(judge, NamedJudge):
        return
    parts = {"source": judge.source} | {f"files.{path}": data for path, data in judge.files.items()}
    for place, data in parts.items():
        if isinstance(data, Blob):
            raise BadRequestError(
                "the store keeps judges whose source and files are text; a blob can be gone when "
                "the judge is needed",
                field=f"judge.{place[:100]}",
            )


def describe(judge: StorableJudge) -> str:
    """A few words about a judge, for lists."""
    if isinstance(judge, FunctionJudge):
        return "Python function"
    if isinstance(judge, NamedJudge):
        values = (
            f"{name} = {msgspec.json.encode(value).decode()}"
            for name, value in judge.parameters.items()
        )
        return ", ".join([judge.name, *values])[:_LONGEST]
    return f"{judge.contract} in {judge.language}"


def encode_proof(proof: dict[str, Any]) -> bytes:
    """A proof as JSON; equal proofs have equal bytes.

    Raises:
        BadRequestError: it holds what JSON, or an answer in msgpack, cannot say.
    """
    try:
        encoded = _encoder.encode(proof)
        # Bytes would come back as text, NaN as nothing, and huge integers in JSON alone.
        canonical_bytes(proof)
        same = msgspec.json.decode(encoded) == proof
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadRequestError(f"the proof cannot be kept as JSON: {error}", field="proof") from None
    if not same:
        raise BadRequestError(
            "the proof holds what JSON has no word for (bytes, NaN, keys that are no text)",
            field="proof",
        )
    return encoded


def decode_proof(encoded: bytes) -> dict[str, Any]:
    """The reverse of `encode_proof`."""
    proof: dict[str, Any] = msgspec.json.decode(encoded)
    return proof
