// FT232B/R, FT-X and H chips as a serial port. Facts: FTDI's AN232B-05 (baud rates); the requests as in Drydock's codec/ftdi.
#include <string.h>

#include <os/log.h>

#include <DriverKit/DriverKit.h>
#include <DriverKit/OSSharedPtr.h>
#include <SerialDriverKit/SerialDriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#include "FtdiSerial.h"

enum { kReset = 0, kModemControl = 1, kSetFlow = 2, kSetBaud = 3, kSetData = 4, kGetModemStatus = 5, kSetLatency = 9 };
enum { kResetAll = 0, kPurgeReceive = 1, kPurgeTransmit = 2 };
enum { kModemCTS = 0x10, kModemDSR = 0x20, kModemRI = 0x40, kModemDCD = 0x80 };
enum { kLineOverrun = 0x02, kLineParity = 0x04, kLineFraming = 0x08, kLineBreak = 0x10 };
static const uint16_t kBreakOn = 1 << 14;
static const uint32_t kStatusBytes = 2;
static const uint32_t kTimeoutMs = 1000;
/** Low for terminals; the chip wakes with 16 ms. */
static const uint16_t kLatencyMs = 1;

struct FtdiSerial_IVars
{
    IOUSBHostInterface * interface;
    IOBufferMemoryDescriptor * statusBuffer;
    uint32_t packetBytes;
    /** wIndex's low byte: 0 on chips of one port. */
    uint16_t port;
    /** How far a divisor's upper bits are shifted in wIndex. */
    uint8_t divisorShift;
    bool hasFastClock;
    uint16_t format;
    bool knowsModem;
    uint8_t lastModem;
};

bool FtdiSerial::init()
{
    if (!super::init()) return false;
    ivars = IONewZero(FtdiSerial_IVars, 1);
    return ivars != nullptr;
}

void FtdiSerial::free()
{
    if (ivars != nullptr) {
        OSSafeReleaseNULL(ivars->statusBuffer);
        OSSafeReleaseNULL(ivars->interface);
    }
    IOSafeDeleteNULL(ivars, FtdiSerial_IVars, 1);
    super::free();
}

kern_return_t IMPL(FtdiSerial, Start)
{
    // The superclass opens the interface and finds the bulk pipes.
    kern_return_t result = Start(provider, SUPERDISPATCH);
    if (result != kIOReturnSuccess) return result;
    ivars->interface = OSDynamicCast(IOUSBHostInterface, provider);
    if (ivars->interface == nullptr) return kIOReturnUnsupported;
    ivars->interface->retain();
    ivars->format = 8;

    const IOUSBConfigurationDescriptor * configuration = ivars->interface->CopyConfigurationDescriptor();
    if (configuration == nullptr) return kIOReturnNotFound;
    const IOUSBInterfaceDescriptor * own = ivars->interface->GetInterfaceDescriptor(configuration);
    const IOUSBEndpointDescriptor * endpoint = nullptr;
    while (own != nullptr && (endpoint = IOUSBGetNextEndpointDescriptor(configuration, own, (const IOUSBDescriptorHeader *) endpoint)) != nullptr)
        if (IOUSBGetEndpointDirection(endpoint) == kIOUSBEndpointDirectionIn) ivars->packetBytes = endpoint->wMaxPacketSize & 0x7ff;
    if (own != nullptr && configuration->bNumInterfaces > 1) ivars->port = own->bInterfaceNumber + 1;
    IOUSBHostFreeDescriptor(configuration);
    if (ivars->packetBytes <= kStatusBytes) return kIOReturnNotFound;

    result = ivars->interface->CreateIOBuffer(kIOMemoryDirectionIn, kStatusBytes, &ivars->statusBuffer);
    if (result != kIOReturnSuccess) return result;
    result = NamePort();
    if (result != kIOReturnSuccess) return result;
    return RegisterService();
}

/** Reads what kind of chip it is, resets it, and names the port by its serial number. */
kern_return_t FtdiSerial::NamePort()
{
    IOUSBHostDevice * device = nullptr;
    kern_return_t result = ivars->interface->CopyDevice(&device);
    if (result != kIOReturnSuccess) return result;
    const IOUSBDeviceDescriptor * descriptor = device->CopyDeviceDescriptor();
    uint8_t serialIndex = 0;
    if (descriptor != nullptr) {
        uint16_t release = descriptor->bcdDevice;
        serialIndex = descriptor->iSerialNumber;
        ivars->hasFastClock = (release >= 0x0700 && release < 0x1000) || release >= 0x2800;
        ivars->divisorShift = release >= 0x0500 && release != 0x0600 ? 8 : 0;
        IOUSBHostFreeDescriptor(descriptor);
    }
    device->release();
    result = Request(kReset, kResetAll, ivars->port);
    if (result != kIOReturnSuccess) return result;

    char suffix[64] = "1";
    const IOUSBStringDescriptor * serial = serialIndex == 0 ? nullptr : ivars->interface->CopyStringDescriptor(serialIndex);
    if (serial != nullptr) {
        size_t count = 0;
        for (size_t at = 0; at + 2 < serial->bLength && count < sizeof suffix - 2; at += 2) suffix[count++] = (char) serial->bString[at];
        suffix[count] = 0;
        IOUSBHostFreeDescriptor(serial);
    }
    if (ivars->port != 0) {
        size_t end = strlen(suffix);
        suffix[end] = (char) ('A' + ivars->port - 1);
        suffix[end + 1] = 0;
    }
    auto properties = OSSharedPtr<OSDictionary>(OSDictionary::withCapacity(2), OSNoRetain);
    auto base = OSSharedPtr<OSString>(OSString::withCString("usbserial-"), OSNoRetain);
    auto name = OSSharedPtr<OSString>(OSString::withCString(suffix), OSNoRetain);
    if (!properties || !base || !name) return kIOReturnNoMemory;
    properties->setObject(kIOTTYBaseNameKey, base.get());
    properties->setObject(kIOTTYSuffixKey, name.get());
    return SetProperties(properties.get());
}

kern_return_t FtdiSerial::Request(uint8_t bRequest, uint16_t wValue, uint16_t wIndex)
{
    uint16_t transferred = 0;
    return ivars->interface->DeviceRequest(kIOUSBDeviceRequestDirectionOut | kIOUSBDeviceRequestTypeVendor, bRequest, wValue, wIndex,
                                           0, nullptr, &transferred, kTimeoutMs);
}

kern_return_t IMPL(FtdiSerial, HwActivate)
{
    kern_return_t result = Request(kReset, kResetAll, ivars->port);
    if (result == kIOReturnSuccess) result = Request(kSetLatency, kLatencyMs, ivars->port);
    if (result != kIOReturnSuccess) return result;
    ivars->knowsModem = false;
    return HwActivate(SUPERDISPATCH);
}

kern_return_t IMPL(FtdiSerial, HwResetFIFO)
{
    kern_return_t result = kIOReturnSuccess;
    if (rx) result = Request(kReset, kPurgeReceive, ivars->port);
    if (tx && result == kIOReturnSuccess) result = Request(kReset, kPurgeTransmit, ivars->port);
    return result;
}

kern_return_t IMPL(FtdiSerial, HwSendBreak)
{
    ivars->format = (uint16_t) (sendBreak ? ivars->format | kBreakOn : ivars->format & ~kBreakOn);
    return Request(kSetData, ivars->format, ivars->port);
}

kern_return_t IMPL(FtdiSerial, HwGetModemStatus)
{
    uint16_t transferred = 0;
    kern_return_t result = ivars->interface->DeviceRequest(kIOUSBDeviceRequestDirectionIn | kIOUSBDeviceRequestTypeVendor, kGetModemStatus,
                                                           0, ivars->port, kStatusBytes, ivars->statusBuffer, &transferred, kTimeoutMs);
    if (result != kIOReturnSuccess) return result;
    IOAddressSegment range = {};
    result = ivars->statusBuffer->GetAddressRange(&range);
    if (result != kIOReturnSuccess) return result;
    if (transferred < kStatusBytes) return kIOReturnUnderrun;
    uint8_t modem = *(const uint8_t *) range.address;
    *cts = (modem & kModemCTS) != 0;
    *dsr = (modem & kModemDSR) != 0;
    *ri = (modem & kModemRI) != 0;
    *dcd = (modem & kModemDCD) != 0;
    return kIOReturnSuccess;
}

kern_return_t IMPL(FtdiSerial, HwProgramUART)
{
    // Of the system's parity codes the chip's are one less; it has 7 and 8 data bits only.
    if (nDataBits != 7 && nDataBits != 8) return kIOReturnBadArgument;
    if (nHalfStopBits < 2 || nHalfStopBits > 4) return kIOReturnBadArgument;
    if (parity < PD_RS232_PARITY_NONE || parity > PD_RS232_PARITY_SPACE) return kIOReturnBadArgument;
    // The Hw methods are dispatched: this begins at the most derived class, which is this one.
    kern_return_t result = HwProgramBaudRate(baudRate);
    if (result != kIOReturnSuccess) return result;
    uint16_t keptBreak = ivars->format & kBreakOn;
    ivars->format = (uint16_t) (nDataBits | (parity - PD_RS232_PARITY_NONE) << 8 | (nHalfStopBits - 2) << 11 | keptBreak);
    return Request(kSetData, ivars->format, ivars->port);
}

kern_return_t IMPL(FtdiSerial, HwProgramBaudRate)
{
    if (baudRate == 0) return kIOReturnBadArgument;
    // AN232B-05: the divisor counts eighths, and has 14 bits before them.
    static const uint8_t kFractions[] = { 0, 3, 2, 4, 1, 5, 6, 7 };
    const uint32_t most = 0x3fff * 8 + 7;
    bool isFast = ivars->hasFastClock && 96000000ull <= (uint64_t) most * baudRate;
    uint32_t clock = (isFast ? 12000000u : 3000000u) * 8;
    uint32_t eighths = (uint32_t) (((uint64_t) clock * 2 + baudRate) / ((uint64_t) baudRate * 2));
    if (eighths < 10) eighths = 8;
    else if (eighths < 14) eighths = 12;
    else if (eighths < 16) eighths = 16;
    if (eighths > most) return kIOReturnBadArgument;
    uint32_t actual = clock / eighths;
    uint32_t apart = actual > baudRate ? actual - baudRate : baudRate - actual;
    if ((uint64_t) apart * 100 > (uint64_t) baudRate * 3) return kIOReturnBadArgument;
    uint32_t code = eighths >> 3 | (uint32_t) kFractions[eighths & 7] << 14;
    if (eighths == 8) code = 0;
    if (eighths == 12) code = 1;
    if (isFast) code |= 1u << 17;
    return Request(kSetBaud, (uint16_t) code, (uint16_t) ((code >> 16) << ivars->divisorShift | ivars->port));
}

kern_return_t IMPL(FtdiSerial, HwProgramMCR)
{
    return Request(kModemControl, (uint16_t) (0x0300 | (dtr ? 1 : 0) | (rts ? 2 : 0)), ivars->port);
}

kern_return_t IMPL(FtdiSerial, HwProgramLatencyTimer)
{
    if (latency < 1 || latency > 255) return kIOReturnBadArgument;
    return Request(kSetLatency, (uint16_t) latency, ivars->port);
}

kern_return_t IMPL(FtdiSerial, HwProgramFlowControl)
{
    uint16_t mode = 0;
    if ((arg & PD_RS232_A_CTS) != 0) mode = 0x01;
    else if ((arg & PD_RS232_A_TXO) != 0) mode = 0x04;
    uint16_t characters = mode == 0x04 ? (uint16_t) (xon | xoff << 8) : 0;
    return Request(kSetFlow, characters, (uint16_t) (mode << 8 | ivars->port));
}

/** Two status bytes begin every packet of a transfer, not only its first. */
void FtdiSerial::handleRxPacket(uint8_t * & packet, uint32_t & size)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < size; at += ivars->packetBytes) {
        uint32_t length = size - at < ivars->packetBytes ? size - at : ivars->packetBytes;
        if (length < kStatusBytes) break;
        NoteStatus(packet[at], packet[at + 1]);
        memmove(packet + kept, packet + at + kStatusBytes, length - kStatusBytes);
        kept += length - kStatusBytes;
    }
    size = kept;
    if (size > 0) super::handleRxPacket(packet, size);
}

void FtdiSerial::NoteStatus(uint8_t modem, uint8_t line)
{
    if (!ivars->knowsModem || modem != ivars->lastModem) {
        ivars->knowsModem = true;
        ivars->lastModem = modem;
        SetModemStatus((modem & kModemCTS) != 0, (modem & kModemDSR) != 0, (modem & kModemRI) != 0, (modem & kModemDCD) != 0);
    }
    if ((line & (kLineOverrun | kLineBreak | kLineFraming | kLineParity)) != 0)
        RxError((line & kLineOverrun) != 0, (line & kLineBreak) != 0, (line & kLineFraming) != 0, (line & kLineParity) != 0);
}
