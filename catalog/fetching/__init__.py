"""Fetching: public data sets from their own addresses, resumable and checksummed."""
