// The numbers of errors.
#pragma once
#include <errno.h>
