"""The forges that proposals are made on: GitHub, GitLab, Gitea and Forgejo behind one small interface (`forge.py`)."""
