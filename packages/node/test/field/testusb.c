// Asks Linux's usbtest module for one test after the other, as the kernel's own testusb does: DEVICE TEST...
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

// drivers/usb/misc/usbtest: the 32-bit form of its parameters.
struct parameters {
  unsigned test, iterations, length, vary, entries;
  int seconds, microseconds;
};

int main(int count, char **words) {
  int device = open(words[1], O_RDWR);
  if (device < 0) return perror(words[1]), 1;
  for (int at = 2; at < count; at++) {
    struct parameters wanted = {atoi(words[at]), 4, 1024, 512, 4, 0, 0};
    struct usbdevfs_ioctl call = {0, (int)_IOWR('U', 100, struct parameters), &wanted};
    int failed = ioctl(device, USBDEVFS_IOCTL, &call) < 0;
    printf("%s %s\n", words[at], failed ? strerror(errno) : "passed");
    fflush(stdout);
  }
  return 0;
}
