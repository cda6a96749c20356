"""The queue of those who approve: everything that waits for a person, whatever its kind, in one order.

What is riskiest comes first, then what has waited longest. What the person asked for himself stands in the
queue too, locked, so that nothing seems to be lost.

``kinds`` names the kinds, ``requests`` and ``findings`` say of each how its rows are found and told, and
``queue`` reads a page of all of them.
"""
