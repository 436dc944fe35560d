// OSSymbol: a typedef of OSString.
#pragma once
#include <DriverKit/OSString.h>
