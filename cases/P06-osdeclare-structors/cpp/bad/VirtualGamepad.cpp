// P06, wrong: an implementation of a class that no .iig file declares.

#include <DriverKit/DriverKit.h>
#include "VirtualGamepad.h"

bool VirtualGamepad::init()
{
    return super::init();
}
