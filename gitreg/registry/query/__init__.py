"""Questions to a snapshot: filters, sorting, pages, and the comparison of two versions."""
