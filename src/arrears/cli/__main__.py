"""`python -m arrears.cli` is `arrears`."""

from arrears.cli import main

main()
