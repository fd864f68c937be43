"""The app server `asterisk`: voicemail, and what else calls by itself or is called without a second leg.

The proxy names the application (`P-App-Name`): `voicebox` takes a message (`deposit.py`). What applications
stand on is the `office`. A message that was spoken goes to the `keeper`, which brings it to MariaDB and then
rings the `bell`: once for each message, whoever wants to know of it listens there.
"""
