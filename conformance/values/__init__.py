"""Keys, values and events to test with: tables of cases that broke real stores, and strategies around them."""
