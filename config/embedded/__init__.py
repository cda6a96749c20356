"""PostgreSQL and Redis without a set-up, from the binaries of two wheels, and who keeps them running.

``home`` says where an instance keeps its things, ``postgres`` and ``redis`` know the two servers,
``processes`` starts and ends operating-system processes, ``supervisor`` keeps a set of them running,
``session`` lends the services to one command, ``doorman`` answers while Bursar starts for the first time,
``instance`` puts the whole of Bursar together.
"""
