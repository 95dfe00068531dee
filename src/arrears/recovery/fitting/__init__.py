"""Recovery fitted on a bank's own history, and how far it is believed against the market prior."""
