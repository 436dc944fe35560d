// Command descriptor blocks filled in (SPC-4, SBC-3): true when the block is filled; the SMART family is not here.
#pragma once
#include <SCSIPeripheralsDriverKit/SCSIPeripheralsTypes.h>
#include <string.h>

static inline void SetCommandCDB(SCSICommandDescriptorBlock * cdb, UInt8 byte0, UInt8 byte1 = 0, UInt8 byte2 = 0, UInt8 byte3 = 0,
                                 UInt8 byte4 = 0, UInt8 byte5 = 0, UInt8 byte6 = 0, UInt8 byte7 = 0, UInt8 byte8 = 0,
                                 UInt8 byte9 = 0, UInt8 byte10 = 0, UInt8 byte11 = 0, UInt8 byte12 = 0, UInt8 byte13 = 0,
                                 UInt8 byte14 = 0, UInt8 byte15 = 0)
{
    const UInt8 bytes[16] = { byte0, byte1, byte2, byte3, byte4, byte5, byte6, byte7,
                              byte8, byte9, byte10, byte11, byte12, byte13, byte14, byte15 };
    memcpy(*cdb, bytes, sizeof bytes);
}

/** The data stage: into `buffer` (1 and 2: the two encodings of "from the device"), or out of it. */
static inline bool drydock_scsi_data(SCSIDeviceOutParameters * request, UInt64 buffer, UInt64 bytes, bool isIn, UInt64 sense)
{
    if (request == nullptr || (bytes > 0 && buffer == 0)) return false;
    request->fRequestedByteCountOfTransfer = bytes;
    request->fDataBufferAddr = buffer;
    request->fBufferDirection = bytes == 0 ? 0 : isIn ? 1 : 2;
    request->fDataTransferDirection = bytes == 0 ? 0 : isIn ? 2 : 1;
    request->fSenseBufferAddr = sense;
    request->fSenseLengthRequested = sense == 0 ? 0 : 18;
    return true;
}

static inline bool TEST_UNIT_READY(SCSIDeviceOutParameters * request, SCSIDeviceInParameters *, UInt64 senseBufAddr)
{
    if (!drydock_scsi_data(request, 0, 0, true, senseBufAddr)) return false;
    SetCommandCDB(&request->fCommandDescriptorBlock, 0x00);
    return true;
}

static inline bool INQUIRY(SCSIDeviceOutParameters * request, UInt64 bufAddr, SCSIDeviceInParameters *, UInt64 senseBufAddr)
{
    if (!drydock_scsi_data(request, bufAddr, 36, true, senseBufAddr)) return false;
    SetCommandCDB(&request->fCommandDescriptorBlock, 0x12, 0, 0, 0, 36);
    return true;
}

static inline bool READ_CAPACITY(SCSIDeviceOutParameters * request, UInt64 bufAddr, SCSIDeviceInParameters *, UInt64 senseBufAddr)
{
    if (!drydock_scsi_data(request, bufAddr, 8, true, senseBufAddr)) return false;
    SetCommandCDB(&request->fCommandDescriptorBlock, 0x25);
    return true;
}

static inline bool REQUEST_SENSE(SCSIDeviceOutParameters * request, UInt64 bufAddr, UInt8 senseLength, SCSIDeviceInParameters *)
{
    if (!drydock_scsi_data(request, bufAddr, senseLength, true, 0)) return false;
    SetCommandCDB(&request->fCommandDescriptorBlock, 0x03, 0, 0, 0, senseLength);
    return true;
}

static inline bool drydock_scsi_10(SCSIDeviceOutParameters * request, UInt8 opcode, UInt64 blockSize, UInt32 startBlock,
                                   UInt16 blockCount, UInt64 bufAddr, UInt64 senseBufAddr)
{
    if (!drydock_scsi_data(request, bufAddr, blockSize * blockCount, opcode == 0x28, senseBufAddr)) return false;
    SetCommandCDB(&request->fCommandDescriptorBlock, opcode, 0, (UInt8) (startBlock >> 24), (UInt8) (startBlock >> 16),
                  (UInt8) (startBlock >> 8), (UInt8) startBlock, 0, (UInt8) (blockCount >> 8), (UInt8) blockCount);
    return true;
}

static inline bool READ_10(SCSIDeviceOutParameters * request, UInt64 blockSize, UInt32 startBlock, UInt16 blockCount,
                           UInt64 bufAddr, SCSIDeviceInParameters *, UInt64 senseBufAddr)
{
    return drydock_scsi_10(request, 0x28, blockSize, startBlock, blockCount, bufAddr, senseBufAddr);
}

static inline bool WRITE_10(SCSIDeviceOutParameters * request, UInt64 blockSize, UInt32 startBlock, UInt16 blockCount,
                            UInt64 bufAddr, SCSIDeviceInParameters *, UInt64 senseBufAddr)
{
    return drydock_scsi_10(request, 0x2a, blockSize, startBlock, blockCount, bufAddr, senseBufAddr);
}
