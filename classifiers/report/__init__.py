"""A classifier's evaluation as one self-contained HTML page, and as plain values for a JSON document."""
