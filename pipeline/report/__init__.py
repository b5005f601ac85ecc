"""The report's own page: one HTML file that opens offline. Each module reads one kind of result for one section."""
