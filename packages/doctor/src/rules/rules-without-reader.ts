// Rules that need no C++ reader. Made by `npm run new -- catalogue` from the folders; not edited by hand.

import { mfiLinkNotPublic } from "./accessory/mfi-link-not-public.ts";
import { protocolNotDeclared } from "./accessory/protocol-not-declared.ts";
import { codeFromACall } from "./codes/code-from-a-call.ts";
import { codeMistyped } from "./codes/code-mistyped.ts";
import { knownWords } from "./codes/known-words.ts";
import { abortCauseNamesOwner } from "./crash/abort-cause-names-owner.ts";
import { actionCancelledTwice } from "./crash/action-cancelled-twice.ts";
import { driverCrashed } from "./crash/driver-crashed.ts";
import { foreignLibrary } from "./crash/foreign-library.ts";
import { syncOnOwnedQueue } from "./crash/sync-on-owned-queue.ts";
import { constraintsDoNotFit } from "./dma/constraints-do-not-fit.ts";
import { ledgerNamesCause } from "./dma/ledger-names-cause.ts";
import { lowAddressTakenAsOwn } from "./dma/low-address-taken-as-own.ts";
import { noContiguousMemory } from "./dma/no-contiguous-memory.ts";
import { postedWriteProvesNothing } from "./dma/posted-write-proves-nothing.ts";
import { readsUnmappedAddress } from "./dma/reads-unmapped-address.ts";
import { activationRefused } from "./extension/activation-refused.ts";
import { developerModeOff } from "./extension/developer-mode-off.ts";
import { driverCrashesCounted } from "./extension/driver-crashes-counted.ts";
import { driverOutOfPlace } from "./extension/driver-out-of-place.ts";
import { kextNotLoaded } from "./extension/kext-not-loaded.ts";
import { listCutOff } from "./extension/list-cut-off.ts";
import { openedWhileStopping } from "./extension/opened-while-stopping.ts";
import { processNotLaunched } from "./extension/process-not-launched.ts";
import { requestUnanswered } from "./extension/request-unanswered.ts";
import { startFailed } from "./extension/start-failed.ts";
import { stuckAtRealize } from "./extension/stuck-at-realize.ts";
import { twoVersionsAlive } from "./extension/two-versions-alive.ts";
import { validationFailed } from "./extension/validation-failed.ts";
import { waitsForApproval } from "./extension/waits-for-approval.ts";
import { filteredByBundleId } from "./log/filtered-by-bundle-id.ts";
import { kernelLinesWithoutSubsystem } from "./log/kernel-lines-without-subsystem.ts";
import { linesAreTheKernels } from "./log/lines-are-the-kernels.ts";
import { numbersHaveGaps } from "./log/numbers-have-gaps.ts";
import { baseEntitlementMissing } from "./matching/base-entitlement-missing.ts";
import { olderBuildKnown } from "./matching/older-build-known.ts";
import { personalityNeverStarts } from "./matching/personality-never-starts.ts";
import { providerNotCovered } from "./matching/provider-not-covered.ts";
import { rigSaysWhy } from "./matching/rig-says-why.ts";
import { panicClassed } from "./panic/panic-classed.ts";
import { accessAfterCloseCrash } from "./pci/access-after-close-crash.ts";
import { iommuFaultRecorded } from "./pci/iommu-fault-recorded.ts";
import { iommuStoppedMachine } from "./pci/iommu-stopped-machine.ts";
import { mappingsEndedWhileWriting } from "./pci/mappings-ended-while-writing.ts";
import { noDeviceFitsMatch } from "./pci/no-device-fits-match.ts";
import { readAfterLinkLost } from "./pci/read-after-link-lost.ts";
import { stoppedAtUnplug } from "./pci/stopped-at-unplug.ts";
import { tunnelNotDeclared } from "./pci/tunnel-not-declared.ts";
import { hidNotAllowed } from "./platform/hid-not-allowed.ts";
import { ipadWithoutMChip } from "./platform/ipad-without-m-chip.ts";
import { iphoneStandardAdaptersOnly } from "./platform/iphone-standard-adapters-only.ts";
import { noDriversOnIphone } from "./platform/no-drivers-on-iphone.ts";
import { phoneAppLooksForDriver } from "./platform/phone-app-looks-for-driver.ts";
import { resourceMatchIsNoOrder } from "./platform/resource-match-is-no-order.ts";
import { latePowerBefore } from "./power/late-power-before.ts";
import { powerNotAcknowledged } from "./power/power-not-acknowledged.ts";
import { serviceBusyAMinute } from "./power/service-busy-a-minute.ts";
import { sleepDidNotFinish } from "./power/sleep-did-not-finish.ts";
import type { Rule } from "./rule.ts";
import { controllerPersonalityWrong } from "./scsi/controller-personality-wrong.ts";
import { dataNeverAskedFor } from "./scsi/data-never-asked-for.ts";
import { ddThroughCache } from "./scsi/dd-through-cache.ts";
import { directionsContradict } from "./scsi/directions-contradict.ts";
import { endOfDiskNotWiped } from "./scsi/end-of-disk-not-wiped.ts";
import { flushWithoutCommand } from "./scsi/flush-without-command.ts";
import { kextHasASuccessor } from "./scsi/kext-has-a-successor.ts";
import { moreThan32BitBlocks } from "./scsi/more-than-32-bit-blocks.ts";
import { protocolIsAText } from "./scsi/protocol-is-a-text.ts";
import { relinkNotCarriedOut } from "./scsi/relink-not-carried-out.ts";
import { sendCdbNotSupported } from "./scsi/send-cdb-not-supported.ts";
import { senseSaysWhatIsMissing } from "./scsi/sense-says-what-is-missing.ts";
import { twoPersonalitiesOneProvider } from "./scsi/two-personalities-one-provider.ts";
import { vendorCommandRefused } from "./scsi/vendor-command-refused.ts";
import { promisedSystemTooOld } from "./sdk/promised-system-too-old.ts";
import { sdkCopied } from "./sdk/sdk-copied.ts";
import { symbolMissing } from "./sdk/symbol-missing.ts";
import { accessKeyOnDriver } from "./signing/access-key-on-driver.ts";
import { accessNamesAnotherDriver } from "./signing/access-names-another-driver.ts";
import { anyProgramMayOpen } from "./signing/any-program-may-open.ts";
import { bundleWithoutExecutable } from "./signing/bundle-without-executable.ts";
import { commentsBreakSigning } from "./signing/comments-break-signing.ts";
import { distributionProfileLacksKey } from "./signing/distribution-profile-lacks-key.ts";
import { driverLacksEntitlement } from "./signing/driver-lacks-entitlement.ts";
import { entitlementNotAuthorised } from "./signing/entitlement-not-authorised.ts";
import { entitlementWrong } from "./signing/entitlement-wrong.ts";
import { idsInOneString } from "./signing/ids-in-one-string.ts";
import { ipadKeyOnMac } from "./signing/ipad-key-on-mac.ts";
import { keyNotInProfile } from "./signing/key-not-in-profile.ts";
import { killedByCodeSigning } from "./signing/killed-by-code-signing.ts";
import { laterStageFails } from "./signing/later-stage-fails.ts";
import { launchConstraintBroken } from "./signing/launch-constraint-broken.ts";
import { pciMatchIsHexadecimal } from "./signing/pci-match-is-hexadecimal.ts";
import { profileNotValidHere } from "./signing/profile-not-valid-here.ts";
import { profileOfAnotherBundle } from "./signing/profile-of-another-bundle.ts";
import { propertyListFaults } from "./signing/property-list-faults.ts";
import { readableCopyDiffers } from "./signing/readable-copy-differs.ts";
import { userclientAccessNotApproved } from "./signing/userclient-access-not-approved.ts";
import { valueDiffersFromProfile } from "./signing/value-differs-from-profile.ts";
import { vendorIdInDecimal } from "./signing/vendor-id-in-decimal.ts";
import { wildcardAgainstNumber } from "./signing/wildcard-against-number.ts";
import { controlRequestStalled } from "./usb/control-request-stalled.ts";
import { descriptorsWrong } from "./usb/descriptors-wrong.ts";
import { dextIsNoPolicy } from "./usb/dext-is-no-policy.ts";
import { enumerationFails } from "./usb/enumeration-fails.ts";
import { ftdiOwnVendorClaimed } from "./usb/ftdi-own-vendor-claimed.ts";
import { interfaceHeld } from "./usb/interface-held.ts";
import { pipeHalted } from "./usb/pipe-halted.ts";
import { serialChipIsApples } from "./usb/serial-chip-is-apples.ts";
import { setInterfaceRefused } from "./usb/set-interface-refused.ts";
import { statusBytesTakenAsData } from "./usb/status-bytes-taken-as-data.ts";
import { usbExits } from "./usb/usb-exits.ts";
import { accessValueDiffers } from "./user-client/access-value-differs.ts";
import { idsJoinedAtOpen } from "./user-client/ids-joined-at-open.ts";
import { ipadAppMayNotOpen } from "./user-client/ipad-app-may-not-open.ts";
import { noAccessKey } from "./user-client/no-access-key.ts";
import { verdictAfterStart } from "./user-client/verdict-after-start.ts";
import { codesignCannotSign } from "./xcode/codesign-cannot-sign.ts";
import { interfaceNotLinked } from "./xcode/interface-not-linked.ts";
import { noProfileChosen } from "./xcode/no-profile-chosen.ts";

/** In the order of their ids. */
export const allRules: readonly Rule[] = [
  protocolNotDeclared,
  phoneAppLooksForDriver,
  mfiLinkNotPublic,
  controlRequestStalled,
  symbolMissing,
  sdkCopied,
  promisedSystemTooOld,
  entitlementNotAuthorised,
  wildcardAgainstNumber,
  keyNotInProfile,
  vendorIdInDecimal,
  commentsBreakSigning,
  profileNotValidHere,
  pciMatchIsHexadecimal,
  bundleWithoutExecutable,
  dextIsNoPolicy,
  usbExits,
  senseSaysWhatIsMissing,
  relinkNotCarriedOut,
  kextHasASuccessor,
  twoPersonalitiesOneProvider,
  dataNeverAskedFor,
  directionsContradict,
  sendCdbNotSupported,
  vendorCommandRefused,
  noDriversOnIphone,
  iphoneStandardAdaptersOnly,
  syncOnOwnedQueue,
  abortCauseNamesOwner,
  actionCancelledTwice,
  valueDiffersFromProfile,
  userclientAccessNotApproved,
  ipadKeyOnMac,
  accessKeyOnDriver,
  idsInOneString,
  accessNamesAnotherDriver,
  anyProgramMayOpen,
  serialChipIsApples,
  ftdiOwnVendorClaimed,
  ipadWithoutMChip,
  statusBytesTakenAsData,
  readAfterLinkLost,
  stoppedAtUnplug,
  accessAfterCloseCrash,
  tunnelNotDeclared,
  mappingsEndedWhileWriting,
  powerNotAcknowledged,
  latePowerBefore,
  noContiguousMemory,
  iommuStoppedMachine,
  readsUnmappedAddress,
  linesAreTheKernels,
  filteredByBundleId,
  numbersHaveGaps,
  kernelLinesWithoutSubsystem,
  postedWriteProvesNothing,
  lowAddressTakenAsOwn,
  iommuFaultRecorded,
  ledgerNamesCause,
  flushWithoutCommand,
  endOfDiskNotWiped,
  moreThan32BitBlocks,
  protocolIsAText,
  ddThroughCache,
  controllerPersonalityWrong,
  noAccessKey,
  accessValueDiffers,
  ipadAppMayNotOpen,
  verdictAfterStart,
  profileOfAnotherBundle,
  waitsForApproval,
  baseEntitlementMissing,
  serviceBusyAMinute,
  olderBuildKnown,
  codesignCannotSign,
  launchConstraintBroken,
  driverCrashed,
  driverCrashesCounted,
  descriptorsWrong,
  developerModeOff,
  readableCopyDiffers,
  entitlementWrong,
  enumerationFails,
  foreignLibrary,
  pipeHalted,
  interfaceHeld,
  hidNotAllowed,
  validationFailed,
  kextNotLoaded,
  killedByCodeSigning,
  knownWords,
  processNotLaunched,
  interfaceNotLinked,
  listCutOff,
  codeMistyped,
  driverLacksEntitlement,
  noProfileChosen,
  openedWhileStopping,
  panicClassed,
  personalityNeverStarts,
  driverOutOfPlace,
  propertyListFaults,
  providerNotCovered,
  rigSaysWhy,
  setInterfaceRefused,
  sleepDidNotFinish,
  laterStageFails,
  startFailed,
  twoVersionsAlive,
  codeFromACall,
  resourceMatchIsNoOrder,
  distributionProfileLacksKey,
  noDeviceFitsMatch,
  requestUnanswered,
  constraintsDoNotFit,
  activationRefused,
  stuckAtRealize,
  idsJoinedAtOpen,
];
