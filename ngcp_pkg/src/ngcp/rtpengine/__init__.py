"""The media relay: ng commands in, ports and forwarded media out.

`control` reads commands and `commands` knows them by name; `calls` decides who talks to whom (`call`,
`dialogs`, `streams`), `processing` what user space does with the packets, and `switchboard` tells a plane
(`forwarding`: `userspace` and a faster one) to execute it, on the ports of `interfaces`. `view` shows it to
operators. Everything but planes and `service` is free of sockets and clocks.
"""
