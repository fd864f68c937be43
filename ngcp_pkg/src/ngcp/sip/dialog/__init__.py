"""Dialogs (RFC 3261 §12): what their requests carry, where they go, and which requests belong to them."""

from .dialog import Dialog, DialogId, check, dialog_id

__all__ = ["Dialog", "DialogId", "check", "dialog_id"]
