"""The dashboard: stored reports as a static site, without a server, a script or a request to anywhere.

`markup.py` is the only place that makes text of a stranger into HTML. Pages are strings; `site_folder.py` puts them on
disk, whole or not at all; `build.py` takes one domain at a time, so that memory does not grow with their number.
"""
