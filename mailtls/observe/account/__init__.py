"""Edges that ask an account at AWS and Cloudflare. They read only; what the answers mean is judged in
`mailtls.preflight` and `mailtls.discover`.
"""
