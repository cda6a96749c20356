"""Treasury's part of the API: funds, requisitions, payments, variances, replenishments, callbacks."""
