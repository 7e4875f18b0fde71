"""Edge tools between Flask and the domain: gate, filters, errors, headers, forms."""
