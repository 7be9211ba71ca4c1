/* Loaded into a program by LD_PRELOAD: its SG_IO ioctls on a disk of the lab go to the node's disk driver (lun.py).
 * Everything else is left to the C library. SG_IO: Linux, scsi/sg.h, version 3. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DRIVER "/run/sunlab-scsi"
#define DISKS 256
#define LARGEST 65536
#define LOST 0xff

struct asked { char disk[32]; uint8_t cdb[16]; uint8_t cdb_length, writes; uint16_t unused; uint32_t length; };
struct told { uint8_t status, sense_length; uint16_t unused; uint32_t length; };

/* By descriptor: the driver's connection plus one, and the disk. */
static struct { int driver; char name[32]; } disks[DISKS];

static int is_disk(const char *path)
{
    return strncmp(path, "/dev/rdsk/", 10) == 0 || strncmp(path, "/dev/dsk/", 9) == 0;
}

static void attach(int fd, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = DRIVER };
    int driver;

    if (fd < 0 || fd >= DISKS || !is_disk(path))
        return;
    driver = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (driver < 0)
        return;
    if (connect(driver, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(driver);
        return;
    }
    disks[fd].driver = driver + 1;
    strncpy(disks[fd].name, strrchr(path, '/') + 1, sizeof(disks[fd].name) - 1);
}

/* As _FORTIFY_SOURCE calls open(2) without a mode. */
#define OPENS_2(name)                                                           \
    int name(const char *path, int flags)                                       \
    {                                                                           \
        static int (*real)(const char *, int);                                  \
        int fd;                                                                 \
                                                                                \
        if (real == NULL)                                                       \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                          \
        fd = real(path, flags);                                                 \
        attach(fd, path);                                                       \
        return fd;                                                              \
    }
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
OPENS_2(__open_2)
OPENS_2(__open64_2)

#define OPENS(name)                                                             \
    int name(const char *path, int flags, ...)                                  \
    {                                                                           \
        static int (*real)(const char *, int, ...);                             \
        mode_t mode = 0;                                                        \
        va_list more;                                                           \
        int fd;                                                                 \
                                                                                \
        if (real == NULL)                                                       \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                          \
        if (flags & (O_CREAT | O_TMPFILE)) {                                    \
            va_start(more, flags);                                              \
            mode = va_arg(more, mode_t);                                        \
            va_end(more);                                                       \
        }                                                                       \
        fd = real(path, flags, mode);                                           \
        attach(fd, path);                                                       \
        return fd;                                                              \
    }
OPENS(open)
OPENS(open64)

int close(int fd)
{
    static int (*real)(int);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd < DISKS && disks[fd].driver != 0) {
        real(disks[fd].driver - 1);
        memset(&disks[fd], 0, sizeof(disks[fd]));
    }
    return real(fd);
}

/* `rest`: the sense data, then the data. */
static void take(struct sg_io_hdr *io, struct told *told, const char *rest, int writes)
{
    io->status = told->status;
    io->masked_status = told->status >> 1 & 0x1f;
    io->host_status = io->driver_status = io->msg_status = io->duration = 0;
    io->sb_len_wr = told->sense_length < io->mx_sb_len ? told->sense_length : io->mx_sb_len;
    if (io->sbp != NULL)
        memcpy(io->sbp, rest, io->sb_len_wr);
    if (told->length > io->dxfer_len)
        told->length = io->dxfer_len;
    if (!writes && io->dxferp != NULL)
        memcpy(io->dxferp, rest + told->sense_length, told->length);
    io->resid = writes ? 0 : io->dxfer_len - told->length;
    io->info = io->status != 0 ? SG_INFO_CHECK : SG_INFO_OK;
}

static int pass_through(int fd, struct sg_io_hdr *io)
{
    static char packet[sizeof(struct asked) + LARGEST];
    struct asked *asked = (struct asked *)packet;
    struct told told;
    int driver = disks[fd].driver - 1, writes = io->dxfer_direction == SG_DXFER_TO_DEV;
    ssize_t got;

    if (io->interface_id != 'S' || io->cmd_len > sizeof(asked->cdb) || io->dxfer_len > LARGEST || io->iovec_count) {
        errno = EINVAL;
        return -1;
    }
    memset(asked, 0, sizeof(*asked));
    memcpy(asked->disk, disks[fd].name, sizeof(asked->disk));
    memcpy(asked->cdb, io->cmdp, io->cmd_len);
    asked->cdb_length = io->cmd_len;
    asked->writes = writes;
    asked->length = io->dxfer_direction == SG_DXFER_NONE ? 0 : io->dxfer_len;
    if (writes)
        memcpy(packet + sizeof(*asked), io->dxferp, io->dxfer_len);
    if (send(driver, packet, sizeof(*asked) + (writes ? io->dxfer_len : 0), MSG_NOSIGNAL) < 0)
        return -1;
    got = recv(driver, packet, sizeof(packet), 0);
    if (got < (ssize_t)sizeof(told)) {
        errno = EIO;
        return -1;
    }
    memcpy(&told, packet, sizeof(told));
    if (told.status == LOST) {
        errno = EIO;
        return -1;
    }
    take(io, &told, packet + sizeof(told), writes);
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, ...);
    va_list more;
    void *operand;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
    va_start(more, request);
    operand = va_arg(more, void *);
    va_end(more);
    if (request == SG_IO && fd >= 0 && fd < DISKS && disks[fd].driver != 0)
        return pass_through(fd, operand);
    return real(fd, request, operand);
}
