"""Reading what a bank hands over: columns, mapping, checks, quarantine."""
