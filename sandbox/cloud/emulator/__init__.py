"""The AWS stand-in: ministack, with the places where it says yes and AWS says no replaced, in a process of its own.

    __main__       the process: arguments, READY, exit codes
    server         binds, sets the environment, serves
    patch, probe   what a patch is, and what its proof may use
    patches/       the patches, by service
    contract       all patches fit and all proofs pass, else there is no start
    clock, outside the emulator's idea of now, and of DNS
    private_paths  what AWS has no API for, under /_sandbox/

It runs in its own environment (`requirements.txt`) and imports nothing of the sandbox but `account` and `parentage`.
"""
