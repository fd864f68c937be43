"""The SIP load-balancer: the only SIP element with a public face."""
