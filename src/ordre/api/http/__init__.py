"""A request on its way in and its answer on its way out: connections, limits, decoding, errors, what handlers are given."""
