"""Money, dates, timelines, hashing and seeded random streams."""
