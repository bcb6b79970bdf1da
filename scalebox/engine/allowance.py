"""How much of the slots' time others may lose: a share of it, saved up within a bound."""

from __future__ import annotations


class Allowance:
    """Seconds that may be spent: a share of the time that passes, saved up to a bound.

    The last spending may go into debt, which the share pays off before there is any more.

    Parameters:
        share: of the time that passes.
        most_s: that is saved up.
        now: by the clock of whoever asks.
    """

    def __init__(self, share: float, most_s: float, now: float) -> None:
        self._share = share
        self._most_s = most_s
        self._left_s = most_s
        self._rate = 0.0
        self._at = now

    def left_s(self, now: float) -> float:
        """What is there now; negative: a debt."""
        saved_s = (self._share - self._rate) * (now - self._at)
        self._left_s = min(self._most_s, self._left_s + saved_s)
        self._at = now
        return self._left_s

    def spend(self, rate: float, now: float) -> None:
        """From now on so much is spent.

        Parameters:
            rate: seconds a second; 0: nothing.
        """
        self.left_s(now)
        self._rate = rate
