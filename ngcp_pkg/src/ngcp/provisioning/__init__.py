"""The only SQL: the platform's databases, read and written through one bounded door.

`billing` and `provisioning` are the operator's truth; `kamailio` is the copy that the SIP proxy reads at run
time. There are no triggers: whoever writes the truth writes the copy in the same transaction.
"""
