// OSPtr: a plain pointer that says whose object it is (likely: as in the kernel's libkern).
#pragma once
#include <DriverKit/OSSharedPtr.h>
template <typename T> using OSPtr = T *;
template <typename T> using OSTaggedPtr = T *;
