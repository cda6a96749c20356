"""Demo data: two companies with some weeks of history, made by the services people use.

``cast`` says who and what there is, ``stories`` what happened, ``stage`` is where the stories are performed
in the order of time, ``travel`` moves the database's clock, and ``postbox`` takes the gateway's callbacks
while no web process does.
"""
