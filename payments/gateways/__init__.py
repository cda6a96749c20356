"""The gateways: one folder per provider, which one can copy to add another.

Each has pure functions that build, parse and classify, tables of every known code, and a client
that makes one call and returns one ``Outcome``. What they share stands here: ``outcome.py`` the
classes, ``http.py`` the call and its log, ``tokens.py`` the access token that all workers share.
"""
