"""A line for the log that SMF keeps of a service: a file below /var, to which standard error leads."""
import os


def log(text: str) -> None:
    """Say it if that can be done. A disk that is full, or fails, must stop nothing that is done besides.

    Not by sys.stderr: what that could not write fails again when the process ends, and changes its exit status.
    """
    try:
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass
