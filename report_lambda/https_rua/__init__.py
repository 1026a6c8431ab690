"""Reports by HTTPS POST: the small function behind `rua=https:`. It stores what it is sent, and reads none of it."""
