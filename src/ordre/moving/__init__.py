"""Bringing orders in from elsewhere: documents and tables to what happened to each order, and that into an account."""
