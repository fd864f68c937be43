"""The error of the SDP room."""


class SdpError(Exception):
    """A session description that cannot be read; the text says what is wrong with it."""
