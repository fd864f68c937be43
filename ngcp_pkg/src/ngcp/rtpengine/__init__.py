"""The media relay: ng commands over UDP in, ports and forwarded media out.

`control` reads commands, `calls` keeps who talks to whom and decides flows, a plane (`userspace`) executes
them; `ports` hands out what `sockets` binds. Everything but `userspace` and `service` is free of sockets
and clocks.
"""
