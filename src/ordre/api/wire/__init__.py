"""JSON exactly as on the wire: types, to commands and back. Names of the wire stand only here."""
