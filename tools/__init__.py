"""Development tools that are no part of the installed package."""
