"""The native API over HTTP, on the Unix socket and on TCP.

Answers for: bytes on the wire become structures or a refusal that names the field (`codec`); every
request has a client, a bound and one answer (`auth`, `edge`); batches stream (`batch`); the same
question asked again joins its answer (`idempotency`); sockets come to be and end without losing an
answer (`listen`, `serve`).  What a submission means, and every bound beyond its form, is the
engine's, of which this room knows one protocol (`service`).
"""
