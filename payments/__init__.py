"""Money in and the way to the gateways.

Words: a *provider* is an account configured with a gateway (a short code and its credentials);
a *gateway* is the code that speaks to it (`payments/gateways/<provider>/`); an *outcome* is what a
call meant for the money; an *exchange* is one request row and, usually, one response row.

A gateway is a library: it builds, calls, parses, classifies and logs. Whoever owns the attempt
owns its table, its janitor and its callback route, so nothing here knows what a call was for
beyond the subject reference it is given.
"""
