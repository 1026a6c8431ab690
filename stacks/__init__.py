"""The composition root: settings, the platform, the domains, and the program that puts them together."""
