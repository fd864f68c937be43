"""The only sockets and clocks: asyncio (uvloop in the daemons) in front of cores that have neither."""
