"""What requests to a model may cost, and what they have cost.

A request reserves the most that it can cost before it is sent, and settles what it did cost when
it has ended; so the bounds hold with any number under way.  One that does not fit waits for those
under way to cost less than they might, and is refused when there are none.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from scalebox.errors import ConfigError
from scalebox.specialjudges.exchange import BudgetExhaustedError

_MILLION = 1_000_000
#: Sums of floats: a bound is not crossed by what rounding adds.
_ROUNDING = 1e-9

_Positive = Annotated[int, Meta(gt=0)]
_Money = Annotated[float, Meta(ge=0)]


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that may be spent; None: no bound.

    Attributes:
        max_requests: requests sent, those that fail and are sent again counted each time.
        max_tokens: of prompts and answers together.
        max_cost_usd: needs both prices.
    """

    max_requests: _Positive | None = None
    max_tokens: _Positive | None = None
    max_cost_usd: _Money | None = None


class Prices(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a million tokens cost, US dollars; None: unknown."""

    usd_per_million_tokens_in: _Money | None = None
    usd_per_million_tokens_out: _Money | None = None

    def cost_usd(self, tokens_in: int, tokens_out: int) -> float | None:
        """Of a request; None: a price is unknown."""
        price_in, price_out = self.usd_per_million_tokens_in, self.usd_per_million_tokens_out
        if price_in is None or price_out is None:
            return None
        return (tokens_in * price_in + tokens_out * price_out) / _MILLION


class Spent(Struct, frozen=True, kw_only=True):
    """What was spent so far; `cost_usd` is 0 where prices are unknown."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(
            requests=self.requests + other.requests,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            cost_usd=self.cost_usd + other.cost_usd,
        )


class Ledger:
    """The account of one endpoint.

    Parameters:
        budget: the bounds.
        prices: to tell money from tokens.
        spent: by an earlier run that this one goes on with.

    Raises:
        ConfigError: a bound on money without prices.
    """

    def __init__(self, budget: Budget, prices: Prices, spent: Spent) -> None:
        if budget.max_cost_usd is not None and prices.cost_usd(0, 0) is None:
            raise ConfigError(
                "max_cost_usd needs usd_per_million_tokens_in and usd_per_million_tokens_out: "
                "endpoints tell tokens, not money"
            )
        self._budget = budget
        self._prices = prices
        self._spent = spent
        self._held: list[Spent] = []
        self._changed = asyncio.Event()

    @property
    def spent(self) -> Spent:
        """What was settled, without what is under way."""
        return self._spent

    def most(self, tokens_in: int, tokens_out: int) -> Spent:
        """One request of so many tokens."""
        return Spent(
            requests=1,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=self._prices.cost_usd(tokens_in, tokens_out) or 0.0,
        )

    async def reserve(self, most: Spent) -> None:
        """Hold back what a request may cost, once it fits; then it must be settled.

        Raises:
            BudgetExhaustedError: it never will; the message names the bound.
        """
        while over := self._over(most):
            if not self._held:
                raise BudgetExhaustedError(over)
            await self._changed.wait()
        self._held.append(most)

    def settle(self, most: Spent, actual: Spent) -> None:
        """Replace what was held back by what it did cost."""
        self._held.remove(most)
        self._spent = self._spent.plus(actual)
        # Those who wait look again; who comes later waits for the next change.
        self._changed.set()
        self._changed = asyncio.Event()

    def _over(self, more: Spent) -> str:
        """Which bound does not leave room for a request; empty: it fits."""
        total = self._spent.plus(more)
        for held in self._held:
            total = total.plus(held)
        bounds = (
            ("max_requests", total.requests, self._budget.max_requests),
            ("max_tokens", total.tokens_in + total.tokens_out, self._budget.max_tokens),
            ("max_cost_usd", total.cost_usd, self._budget.max_cost_usd),
        )
        for name, needed, bound in bounds:
            if bound is not None and needed > bound * (1 + _ROUNDING):
                return (
                    f"the budget is used up: with the next request it could come to {needed:,.6g} "
                    f"of {name} = {bound:,.6g}. Raise it and go on"
                )
        return ""
