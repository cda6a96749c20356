"""Money out: funds, requisitions, approvals, payments, and what keeps them honest."""
