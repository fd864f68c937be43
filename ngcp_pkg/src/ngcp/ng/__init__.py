"""The ng control protocol of the media relay: bencode, JSON, messages with a cookie; no sockets, no clock."""
