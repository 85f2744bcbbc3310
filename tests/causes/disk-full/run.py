import pathlib

with pathlib.Path("/dev/shm/spool").open("wb") as spool:
    while True:
        spool.write(b"x" * (1 << 20))
