// All values and collections, and their C functions.
#pragma once
#include <DriverKit/OSArray.h>
#include <DriverKit/OSBoolean.h>
#include <DriverKit/OSData.h>
#include <DriverKit/OSDictionary.h>
#include <DriverKit/OSNumber.h>
#include <DriverKit/OSOrderedSet.h>
#include <DriverKit/OSSerialization.h>
#include <DriverKit/OSSet.h>
#include <DriverKit/OSString.h>

extern "C" {
OSArrayPtr OSArrayCreate();
bool OSArrayAppendValue(OSArrayPtr obj, OSObjectPtr value);
uint32_t OSArrayGetCount(OSArrayPtr obj);
OSObjectPtr OSArrayGetValue(OSArrayPtr obj, size_t index);
const char * OSArrayGetStringValue(OSArrayPtr obj, size_t index);
uint64_t OSArrayGetUInt64Value(OSArrayPtr obj, size_t index);
bool OSArraySetValue(OSArrayPtr obj, size_t index, OSObjectPtr value);
bool OSArrayReplaceValue(OSArrayPtr obj, size_t index, OSObjectPtr value);
void OSArraySetStringValue(OSArrayPtr obj, size_t index, const char * value);
void OSArraySetUInt64Value(OSArrayPtr obj, size_t index, uint64_t value);
OSDictionaryPtr OSDictionaryCreate();
uint32_t OSDictionaryGetCount(OSDictionaryPtr obj);
OSObjectPtr OSDictionaryGetValue(OSDictionaryPtr obj, const char * key);
const char * OSDictionaryGetStringValue(OSDictionaryPtr obj, const char * key);
uint64_t OSDictionaryGetUInt64Value(OSDictionaryPtr obj, const char * key);
bool OSDictionarySetValue(OSDictionaryPtr obj, const char * key, OSObjectPtr value);
void OSDictionarySetStringValue(OSDictionaryPtr obj, const char * key, const char * value);
void OSDictionarySetUInt64Value(OSDictionaryPtr obj, const char * key, uint64_t value);
OSDataPtr OSDataCreate(const void * bytes, size_t length);
bool OSDataAppendBytes(OSDataPtr data, const void * bytes, size_t length);
size_t OSDataGetBytes(OSDataPtr obj, void * buffer, size_t offset, size_t length);
const void * OSDataGetBytesPtr(OSDataPtr obj, size_t offset, size_t length);
size_t OSDataGetLength(OSDataPtr obj);
OSNumberPtr OSNumberCreateWithUInt64Value(uint64_t value);
uint64_t OSNumberGetUInt64Value(OSNumberPtr obj);
OSStringPtr OSStringCreate(const char * cstring, size_t length);
size_t OSStringGetLength(OSStringPtr string);
const char * OSStringGetStringPtr(OSStringPtr obj);
void OSObjectLog(OSObjectPtr obj);
void OSObjectRelease(OSObjectPtr container);
void OSObjectRetain(OSObjectPtr container);
}
