// os_log: a line of the dext's in the unified log. `%{public}s` and its kin are read by the host.
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct os_log_s * os_log_t;
typedef uint8_t os_log_type_t;
enum { OS_LOG_TYPE_DEFAULT = 0x00, OS_LOG_TYPE_INFO = 0x01, OS_LOG_TYPE_DEBUG = 0x02, OS_LOG_TYPE_ERROR = 0x10, OS_LOG_TYPE_FAULT = 0x11 };
os_log_t os_log_create(const char * subsystem, const char * category);
void drydock_os_log(os_log_t log, os_log_type_t type, const char * format, ...) __attribute__((format(os_log, 3, 4)));
#ifdef __cplusplus
}
#endif
#define OS_LOG_DEFAULT ((os_log_t) 0)
#define OS_LOG_DISABLED ((os_log_t) 1)
#define os_log(log, format, ...) drydock_os_log((log), OS_LOG_TYPE_DEFAULT, format, ##__VA_ARGS__)
#define os_log_info(log, format, ...) drydock_os_log((log), OS_LOG_TYPE_INFO, format, ##__VA_ARGS__)
#define os_log_debug(log, format, ...) drydock_os_log((log), OS_LOG_TYPE_DEBUG, format, ##__VA_ARGS__)
#define os_log_error(log, format, ...) drydock_os_log((log), OS_LOG_TYPE_ERROR, format, ##__VA_ARGS__)
#define os_log_fault(log, format, ...) drydock_os_log((log), OS_LOG_TYPE_FAULT, format, ##__VA_ARGS__)
#define os_log_with_type(log, type, format, ...) drydock_os_log((log), (type), format, ##__VA_ARGS__)
#define os_log_type_enabled(log, type) true
