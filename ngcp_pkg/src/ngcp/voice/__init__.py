"""What every daemon that talks and listens is made of.

A call comes to the `switchboard`, which gives it to the application that `P-App-Name` asks for.
An application speaks with its caller in a `conversation`; a `guest` is one with a stream: prompts to say,
keys to hear, frames to record. Streams are kept by the `studio`, which lives by the `beat` of 20 ms.
"""
