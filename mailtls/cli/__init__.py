"""The command. One file per command: argument parsing and exit codes; what it does lies in the rooms below.

Exit codes as diff(1) has them: 0 clean, 1 findings or differences, 2 trouble (bad arguments, unreadable files, no
network). What is asked for goes to standard output; progress and trouble go to standard error.
"""
