"""The rules of periods once more, from scratch: plain fractions, no preparation, no short cuts.

An oracle for the properties and what the benchmarks measure beside: slow, and plain enough to be read in one
go against the sentences of docs/periods.md.
"""

from collections.abc import Mapping
from fractions import Fraction


def share_out(
    total: int, weights: Mapping[str, Fraction], *, to_the_largest: bool
) -> dict[str, int]:
    """Split minor units by exact weights: floors first, then the rest one by one, or all to the largest."""
    sign = -1 if total < 0 else 1
    whole = sum(weights.values(), Fraction(0))
    exact = {key: abs(total) * weight / whole for key, weight in weights.items()}
    shares = {key: int(part) for key, part in exact.items()}
    left = abs(total) - sum(shares.values())
    if to_the_largest:
        shares[min(weights, key=lambda key: (-weights[key], key))] += left
    else:
        order = sorted(weights, key=lambda key: (shares[key] - exact[key], -weights[key], key))
        for key in order[:left]:
            shares[key] += 1
    return {key: sign * share for key, share in shares.items()}
