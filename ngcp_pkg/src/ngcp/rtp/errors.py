"""The error of the RTP room."""


class RtpError(Exception):
    """Bytes that are no RTP, RTCP or event; the text says what is wrong with them."""
