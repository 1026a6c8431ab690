"""The clouds that the program deploys to, as stand-ins on this machine: a patched AWS emulator, Cloudflare's DNS."""
