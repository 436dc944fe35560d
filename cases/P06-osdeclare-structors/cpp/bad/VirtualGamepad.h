#include <DriverKit/OSMetaClass.h>
#include <HIDDriverKit/IOUserHIDDevice.h>

class VirtualGamepad : public IOUserHIDDevice
{
    OSDeclareDefaultStructors(VirtualGamepad)

public:
    virtual bool init();
    virtual kern_return_t Start(IOService * provider);
    virtual OSDictionary * newDeviceDescription();
    virtual OSData * newReportDescriptor();
};
