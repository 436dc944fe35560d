// A program on hidapi: opens a device by its ids, says its name, writes and reads a report, sets and gets a feature.
#include <stdio.h>
#include <wchar.h>

// hidapi 0.13's own interface; its header comes with another package than its library.
typedef struct hid_device hid_device;
hid_device *hid_open(unsigned short vendor, unsigned short product, const wchar_t *serial);
int hid_get_product_string(hid_device *device, wchar_t *text, size_t length);
int hid_write(hid_device *device, const unsigned char *data, size_t length);
int hid_read_timeout(hid_device *device, unsigned char *data, size_t length, int milliseconds);
int hid_send_feature_report(hid_device *device, const unsigned char *data, size_t length);
int hid_get_feature_report(hid_device *device, unsigned char *data, size_t length);

static void show(const char *what, const unsigned char *bytes, int count) {
  printf("%s %d ", what, count);
  for (int at = 0; at < count; at++) printf("%02x", bytes[at]);
  printf("\n");
}

int main(void) {
  hid_device *device = hid_open(0x16c0, 0x0480, 0);
  if (!device) return printf("not found\n"), 1;
  wchar_t name[64];
  hid_get_product_string(device, name, 64);
  printf("%ls\n", name);
  unsigned char report[] = {2, 0, 1, 2, 3, 4, 5, 6, 7}, answer[64], feature[8] = {3};
  printf("written %d\n", hid_write(device, report, sizeof report));
  show("read", answer, hid_read_timeout(device, answer, sizeof answer, 20000));
  unsigned char setting[] = {3, 9, 8, 7, 6};
  printf("set %d\n", hid_send_feature_report(device, setting, sizeof setting));
  show("got", feature, hid_get_feature_report(device, feature, sizeof feature));
  return 0;
}
