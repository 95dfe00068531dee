"""How loans moved: paths, counts of moves, roll rates, vintages, cures, chains, and who misses a payment next."""
