"""The errors of the audio room."""


class AudioError(Exception):
    """Something cannot be made into sound, or sound into it."""


class CodecUnavailable(AudioError):
    """The library of a codec is not installed."""


class BadPayload(AudioError):
    """What came is not of the codec it should be of."""
