"""How much time others may lose: a share of it, saved up within a bound."""

from __future__ import annotations


class Allowance:
    """Seconds that may be spent: a share of the time that passes, saved up to a bound.

    The last spending may go into debt, which the share pays off before there is any more.
    """

    def __init__(self, share: float, most_s: float, now: float) -> None:
        self._share = share
        self._most_s = most_s
        self._left_s = most_s
        self._at = now

    def left_s(self, now: float) -> float:
        """What is there now; negative: a debt."""
        self._left_s = min(self._most_s, self._left_s + self._share * (now - self._at))
        self._at = now
        return self._left_s

    def spend(self, seconds: float, now: float) -> None:
        """Take away what was used."""
        self._left_s = self.left_s(now) - seconds
