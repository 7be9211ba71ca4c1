"""fsck of type ufs (fsck_ufs(8); its sentences and statuses are those of ufs/fsck/main.c and setup.c). e2fsck does the
work, and its own lines stand between the phases and the sums. Where UFS's asks about each problem, this asks once.
"""
from __future__ import annotations

import os
import sys

from sunlab import spawn
from sunlab.fs import superblock, table, vfstab

OKAY, BAD_USE, NEEDS_CHECK, MOUNTED, NO_STAT, FOUND_ERRORS, FATAL = 0, 1, 32, 33, 34, 36, 39
DSK, RDSK = "/dev/dsk/", "/dev/rdsk/"
E2FSCK = "/usr/sbin/e2fsck"
PHASES = ("1 - Check Blocks and Sizes", "2 - Check Pathnames", "3a - Check Connectivity", "3b - Verify Shadows/ACLs",
          "4 - Check Reference Counts", "5 - Check Cylinder Groups")
ALTERNATE = ("SEARCH FOR ALTERNATE SUPERBLOCKS FAILED. YOU MUST USE THE -o b OPTION\n"
             "TO FSCK TO SPECIFY THE LOCATION OF A VALID ALTERNATE SUPERBLOCK TO\n"
             "SUPPLY NEEDED INFORMATION; SEE fsck(8).\n")
USAGE = "ufs usage: fsck [-F ufs] [-m] [-n] [-V] [-v] [-y] [-o p,b=#,w,f] [special ....]\n"


class End(Exception):
    """The check is over, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class Check:
    """One file system's. `answer`: no, yes, or empty to ask."""

    def __init__(self, special: str, answer: str, sanity: bool, preen: bool, force: bool) -> None:
        self.answer, self.sanity, self.preen, self.force = answer, sanity, preen, force
        self.given, self.device = special, special

    def run(self) -> int:
        try:
            self.find()
            self.is_unmounted()
            say("" if self.preen else f"** {self.device}{' (NO WRITE)' if self.answer == 'no' else ''}\n")
            found = self.read()
            if self.sanity:
                return self.judge(found)
            if self.preen:
                return self.clean_up(found)
            return self.check(found)
        except End as end:
            return end.status

    def end(self, status: int, text: str) -> End:
        say(text if text.endswith("\n") else text + "\n")
        return End(status)

    def ask(self, question: str) -> bool:
        """Raises End."""
        if self.sanity:
            raise self.end(FATAL, f"\n{self.device}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.")
        say(f"\n{question}? ")
        if self.answer:
            say(f" {self.answer}\n\n")
            return self.answer == "yes"
        line = sys.stdin.readline()
        if not line:
            raise self.end(FATAL, "\n")
        say("\n")
        return line.strip()[:1] in ("y", "Y")

    # ---- what to check

    def find(self) -> None:
        """A mount point stands for its device, a block device for the raw one. Raises End."""
        if not os.path.exists(self.given):
            raise self.end(NO_STAT, f"fsck: could not stat {self.given}: No such file or directory")
        if os.path.isdir(self.given):
            held = table.last(table.read(), point=os.path.realpath(self.given))
            entry = vfstab.match(vfstab.read()[0], point=self.given)
            if held is None and entry is None:
                raise self.end(BAD_USE, f"fsck: could not find mountpoint {self.given} in mnttab nor vfstab")
            self.device = held.special if held else entry.special if entry else ""
        if self.device.startswith(DSK):
            self.device = RDSK + self.device[len(DSK):]
        if not os.path.exists(self.device):
            raise self.end(NO_STAT, f"fsck: could not stat {self.device}: No such file or directory")

    def is_unmounted(self) -> None:
        """Raises End."""
        held = table.last(table.read(), special=DSK + os.path.basename(self.device))
        if held is None:
            return
        if self.sanity:
            sys.stderr.write(f"ufs fsck: sanity check: {self.device} already mounted\n")
            raise End(MOUNTED)
        write = "ONLY" if held.read_only else "WRITE"
        if self.preen:
            only = "" if held.read_only else " READ/WRITE"
            raise self.end(MOUNTED, f"{held.special}: {held.special} IS CURRENTLY MOUNTED{only}.\n"
                           f"{held.special}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.")
        say(f"{held.special} IS CURRENTLY MOUNTED READ/{write}.")
        if self.ask("CONTINUE"):
            sys.stderr.write("fsck: sunlab: the check of a mounted file system is not modelled in this lab\n")
        raise self.end(MOUNTED, "Program terminated")

    def read(self) -> superblock.Superblock:
        """Its superblock, once the log is rolled. Raises End."""
        try:
            found = superblock.read(self.device)
            if found and found.state == "logging" and found.unrolled and self.answer != "no":
                if spawn.run([E2FSCK, "-p", "-E", "journal_only", self.device])[0] > 1:
                    raise self.end(FATAL, f"Can't roll the log for {self.device}.")
                found = superblock.read(self.device)
        except OSError as problem:
            raise self.end(FATAL, f"\nCANNOT READ: DISK BLOCK 16: {problem.strerror}") from None
        if found is None:
            found = self.alternate()
        return found

    def alternate(self) -> superblock.Superblock:
        """The superblock is no superblock: another, if it may be looked for and there is one. Raises End."""
        say(f"{self.device + ': ' if self.preen else ''}BAD SUPERBLOCK AT BLOCK 16: MAGIC NUMBER WRONG\n")
        if self.preen:
            raise self.end(FATAL, f"{self.device}: USE AN ALTERNATE SUPERBLOCK TO SUPPLY NEEDED INFORMATION;\n"
                           f"{self.device}: e.g. fsck [-F ufs] -o b=# [special ...] \n"
                           f"{self.device}: where # is the alternate super block. SEE fsck_ufs(8). \n\n"
                           f"{self.device}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.")
        if self.ask("LOOK FOR ALTERNATE SUPERBLOCKS WITH MKFS") and spawn.run([E2FSCK, "-fy", self.device])[0] < 4:
            found = superblock.read(self.device)
            if found is not None:
                say("FOUND ALTERNATE SUPERBLOCK 32 WITH MKFS\n")
                return found
        raise self.end(FATAL, ALTERNATE)

    # ---- the kinds of checks

    def judge(self, found: superblock.Superblock) -> int:
        sys.stderr.write(f"ufs fsck: sanity check: {self.device} {'okay' if found.okay else 'needs checking'}\n")
        return OKAY if found.okay else NEEDS_CHECK

    def clean_up(self, found: superblock.Superblock) -> int:
        if found.okay and not self.force:
            say(f"{self.device}: is {found.state}.\n")
            return OKAY
        status, said = spawn.run([E2FSCK, "-fp", self.device])
        if status > 1:
            say("".join(f"{line}\n" for line in own_words(said, self.device)))
            say(f"{self.device}: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n")
            return FOUND_ERRORS
        say(f"{self.device}: {sums_of(said, found.block_kb)}")
        return OKAY

    def check(self, found: superblock.Superblock) -> int:
        say(f"** Last Mounted on {found.last_mounted}\n")
        say("".join(f"** Phase {phase}\n" for phase in PHASES))
        status, said = spawn.run([E2FSCK, "-fn", self.device])
        if status >= 8:
            raise self.end(FATAL, said)
        counted = sums_of(said, found.block_kb)
        corrupt, modified = bool(status & 4), False
        if corrupt:
            say("".join(f"{line}\n" for line in own_words(said, self.device)))
            if self.ask("SALVAGE"):
                status, said = spawn.run([E2FSCK, "-fy", self.device])
                corrupt, modified, counted = status > 2, True, sums_of(said, found.block_kb)
        if corrupt:
            say("FILESYSTEM MAY STILL BE INCONSISTENT.\n")
        elif not modified and not found.okay and self.ask("FILE SYSTEM STATE IN SUPERBLOCK IS WRONG; FIX"):
            modified = spawn.run([E2FSCK, "-fy", self.device])[0] <= 2
        say(counted)
        say("\n***** FILE SYSTEM WAS MODIFIED *****\n" if modified else "")
        say("***** FILE SYSTEM IS BAD *****\n\n***** PLEASE RERUN FSCK *****\n" if corrupt else "")
        return FOUND_ERRORS if corrupt else OKAY


def sums_of(said: str, block_kb: int) -> str:
    """The line of sums, from e2fsck's last: `DEVICE: 12/16384 files (0.0% non-contiguous), 3379/65536 blocks`. Pure.

    ext4 keeps nine inodes for itself; the root and lost+found of a new one are 2 files.
    """
    words = next((line for line in reversed(said.splitlines()) if " files (" in line), "").rpartition(": ")[2].split()
    if len(words) < 5:
        return ""
    files, blocks = words[0].split("/")[0], words[4].split("/")
    used = int(blocks[0]) * block_kb
    free = int(blocks[1]) * block_kb - used
    return (f"{max(int(files) - 9, 0)} files, {used} used, {free} free "
            f"({free % 8} frags, {free // 8} blocks, {words[2].lstrip('(')} fragmentation)\n")


def own_words(said: str, device: str) -> list[str]:
    """What e2fsck found, without its passes and sums. Pure."""
    noise = ("e2fsck ", "Pass ", "\t", "Warning!  Running e2fsck")
    return [line for line in said.splitlines() if line.strip() and not line.startswith(noise)
            and not line.startswith(f"{device}: ***") and " files (" not in line]
