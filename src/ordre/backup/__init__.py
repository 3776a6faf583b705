"""Backups: everything that a database holds, in one file that can prove itself, and the way back. docs/decisions says why so."""
