"""The proxy and registrar: authenticates phones, keeps their registrations, routes their calls.

A request crosses `corridor.py`: facts are gathered once (`facts.py`, the door to MariaDB), pure stations
decide (`stations.py`), and the way out carries the decision through (`core.py`, with the door to the media
relay in `media.py`).
"""
