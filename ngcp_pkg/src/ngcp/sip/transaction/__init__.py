"""Transactions (RFC 3261 §17, RFC 6026): retransmission, matching, timers.

`tables` says what the four machines do, `machine` walks the tables, `layer` matches messages to machines,
`timers` tells when; `events` are what the transaction user hears.
"""

from .events import Answered, Failed, Received, Terminated, TransactionEvent
from .layer import TransactionLayer
from .machine import ClientTransaction, ServerTransaction, Transaction
from .tables import State

__all__ = [
    "Answered",
    "ClientTransaction",
    "Failed",
    "Received",
    "ServerTransaction",
    "State",
    "Terminated",
    "Transaction",
    "TransactionEvent",
    "TransactionLayer",
]
