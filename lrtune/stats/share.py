"""How large a share of seeds may collapse, given how many of those trained did.

Eight seeds without a collapse do not show that there is none to come: if a third of all seeds
collapsed, eight in a row would still be fine with a probability of .05. Shares up to that one are
not excluded. In general it is the share p for which `collapsed` or fewer of `n` seeds collapse with
the probability 1 - confidence,

    sum over k <= collapsed of C(n, k) p^k (1 - p)^(n - k) = 1 - confidence

which is the one-sided upper bound of Clopper and Pearson ("The use of confidence or fiducial limits
illustrated in the case of the binomial", Biometrika 26, 1934,
https://doi.org/10.1093/biomet/26.4.404). It is exact: the true share is above it in at most
1 - confidence of all cases, however few the seeds. With none collapsed it is 1 - .05^(1/n), about
3 / n.
"""

from __future__ import annotations

from lrtune._util import checks


def share_not_excluded(collapsed: int, n: int, confidence: float = 0.95) -> float:
    """The largest share of collapsing seeds that the seeds trained do not exclude.

    Args:
        collapsed: int from 0 to `n`, how many of them collapsed.
        n: int >= 1, how many were trained, alike but for the seed.
        confidence: float > 0 and < 1, of the one-sided bound.

    Returns:
        float > 0 and <= 1: .312 for 0 of 8, .139 for 0 of 20; 1 if all collapsed.

    Raises:
        ArgumentError: an argument outside its domain.
    """
    n = checks.integer("n", n, at_least=1)
    collapsed = checks.integer("collapsed", collapsed, at_least=0, at_most=n)
    confidence = checks.proper_fraction("confidence", confidence)
    if collapsed == n:
        return 1.0

    # NOTE: scipy.stats.binomtest has the same bound, but takes 1.5 s to import.
    from scipy.special import betaincinv

    return float(betaincinv(collapsed + 1, n - collapsed, confidence))
