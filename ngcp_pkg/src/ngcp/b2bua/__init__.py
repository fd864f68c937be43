"""The back-to-back user agent `ngcp-sems`: each call has two legs, and neither sees the other.

A call enters at `core.py`, which finds the application that `P-App-Name` asks for (`ngcp.voice`); `sbc` is
the one with two legs (`bridge.py`). What passes from leg to leg is `headers.py`'s to say, by the profile
(`profile.py`) and the terms of the call (`terms.py`).
"""
