/* LD_PRELOAD shim: a file system that loses, is slow, fails or is full. For endurance/disk-kills.ts.

   What is written to the image between two good fdatasync(2) is noted with what was there before (UNDO_FILE). Whoever kills
   the server puts it back, newest first: the worst that a power cut can do. SHIM_MODE: "" , "slow", "fail" (one fdatasync
   fails with EIO and keeps nothing; later ones say yes, as Linux does), "full" (no room after SHIM_ROOM bytes), "lie" (says
   yes and keeps nothing: the check itself has to notice). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int undo = -1, syncs, failed;
static off_t kept, room = -1;
static ino_t image;

struct note {
  long long at, length;
};

static int is_image(int fd) {
  struct stat s;
  if (undo == -1) {
    const char *path = getenv("UNDO_FILE"), *name = getenv("IMAGE_FILE"), *bytes = getenv("SHIM_ROOM");
    undo = path ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) : -2;
    if (bytes) room = atoll(bytes);
    if (name && stat(name, &s) == 0) image = s.st_ino;
  }
  return undo >= 0 && image && fstat(fd, &s) == 0 && s.st_ino == image;
}

static ssize_t (*real_pread)(int, void *, size_t, off64_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);

static void remember(int fd, off64_t at, size_t length) {
  struct note n = {at, (long long)length};
  char *old = calloc(1, length);
  if (!real_pread) real_pread = dlsym(RTLD_NEXT, "pread64");
  if (real_pread(fd, old, length, at) < 0) abort();
  if (write(undo, &n, sizeof n) != sizeof n || write(undo, old, length) != (ssize_t)length) abort();
  free(old);
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) {
  if (!real_pwrite) real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  if (!is_image(fd)) return real_pwrite(fd, from, length, at);
  if (room >= 0 && (room -= (off_t)length) < 0) {
    room = 0;
    errno = ENOSPC;
    return -1;
  }
  pthread_mutex_lock(&lock);
  remember(fd, at, length);
  ssize_t done = real_pwrite(fd, from, length, at);
  pthread_mutex_unlock(&lock);
  return done;
}
ssize_t pwrite(int fd, const void *from, size_t length, off_t at) { return pwrite64(fd, from, length, at); }

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
  static int (*real)(int, int, off64_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "fallocate64");
  if (!is_image(fd) || length > (1 << 24)) return real(fd, mode, at, length);
  pthread_mutex_lock(&lock);
  remember(fd, at, (size_t)length);
  int done = real(fd, mode, at, length);
  pthread_mutex_unlock(&lock);
  return done;
}
int fallocate(int fd, int mode, off_t at, off_t length) { return fallocate64(fd, mode, at, length); }

int fdatasync(int fd) {
  static int (*real)(int);
  const char *mode = getenv("SHIM_MODE");
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  if (!is_image(fd)) return real(fd);
  pthread_mutex_lock(&lock);
  off_t upto = lseek(undo, 0, SEEK_CUR);
  pthread_mutex_unlock(&lock);
  if (mode && !strcmp(mode, "slow")) usleep(40000);
  if (mode && !strcmp(mode, "fail") && !failed && ++syncs == 4) {
    failed = 1;
    errno = EIO;
    return -1;
  }
  /* After a failed one the pages count as clean: nothing more is kept, and yes is said. */
  if (failed || (mode && !strcmp(mode, "lie"))) return 0;
  if (real(fd) != 0) return -1;
  /* Notes before `kept` are settled; the reader begins there. */
  pthread_mutex_lock(&lock);
  kept = upto;
  if (pwrite(undo, &kept, 0, 0) != 0) abort();
  char text[32];
  const char *path = getenv("UNDO_KEPT");
  int out = path ? open(path, O_WRONLY | O_CREAT, 0600) : -1;
  if (out >= 0) {
    int length = 0;
    for (off_t rest = kept, digit = 1000000000000LL; digit; digit /= 10) text[length++] = '0' + (char)(rest / digit % 10);
    if (write(out, text, (size_t)length) != length) abort();
    close(out);
  }
  pthread_mutex_unlock(&lock);
  return 0;
}
