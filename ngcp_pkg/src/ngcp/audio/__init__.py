"""Audio: codecs, tones, mixing, WAV files. Bytes in, values out: no socket, no clock.

Samples are bytes everywhere: 16 bits each, signed, little-endian, mono, in linear scale.
"""
