"""A local stand-in for Safaricom's Daraja, for the demo and the tests.

It is a process of its own (`python -m payments.simulator --port N`), imports no Django, listens on
127.0.0.1 only and speaks the real wire format: the same paths, odd spellings, strings where the
gateway sends strings, and its error bodies. It refuses what the gateway refuses, because a
permissive fake proves nothing.

What makes it useful:

- it keeps its own double-entry *book*: a success moves money once per OriginatorConversationID,
  so a test can compare it with our ledger to the cent; the book survives kill -9;
- what happens is a function of the recipient's last three digits (`scenarios.py`) and the seed;
- its clock can be advanced, and late callbacks follow that clock;
- `/_sim/fault` arms faults before and after acceptance, callbacks that lie, and enquiries that lag.

The control plane is described in `control.py`.
"""
