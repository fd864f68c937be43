"""The ng control protocol of the media relay: bencode and messages with a cookie; no sockets, no clock."""
