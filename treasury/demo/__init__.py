"""Demo data: two companies with some weeks of history, made by the services people use.

``cast`` says who and what there is; ``everyday``, ``remarkable`` and ``doubts`` what happened; ``stage`` is
where the stories are performed and ``loader`` performs them in the order of time. ``travel`` moves the
database's clock, and ``postbox`` takes the gateway's callbacks while no web process does.
"""
