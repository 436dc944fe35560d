// DR07-2: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { openEventNamesNoDevice } from "./open-event-names-no-device.ts";

test("DR07-2 fires: names no device before macOS 26", async () => {
  await assertFires(
    openEventNamesNoDevice,
    {
      driver: `#include <EndpointSecurity/EndpointSecurity.h>
#include <IOKit/IOKitLib.h>

static void handle(es_client_t * client, const es_message_t * message)
{
    if (message->event_type != ES_EVENT_TYPE_AUTH_IOKIT_OPEN) return;
    bool isBlocked = isOnList(currentVendorID(), currentProductID());
    uint32_t idVendor = currentVendorID();
    es_respond_auth_result(client, message, isBlocked || idVendor == 0x0781 ? ES_AUTH_RESULT_DENY : ES_AUTH_RESULT_ALLOW, false);
}
`,
    },
    /names no device before macOS 26/,
  );
});

test("DR07-2 is silent on the corrected source", async () => {
  await assertSilent(openEventNamesNoDevice, {
    driver: `#include <EndpointSecurity/EndpointSecurity.h>
#include <IOKit/IOKitLib.h>

static void handle(es_client_t * client, const es_message_t * message)
{
    if (message->event_type != ES_EVENT_TYPE_AUTH_IOKIT_OPEN) return;
    uint32_t idVendor = vendorOfEntry(message->event.iokit_open.parent_registry_id);
    es_respond_auth_result(client, message, idVendor == 0x0781 ? ES_AUTH_RESULT_DENY : ES_AUTH_RESULT_ALLOW, false);
}
`,
  });
});

test("DR07-2 is silent on the corrected source (2)", async () => {
  await assertSilent(openEventNamesNoDevice, {
    driver: `#include <EndpointSecurity/EndpointSecurity.h>
#include <IOKit/IOKitLib.h>

static void handle(es_client_t * client, const es_message_t * message)
{
    if (message->event_type != ES_EVENT_TYPE_AUTH_IOKIT_OPEN) return;
    bool isBlocked = isOnList(message->event.iokit_open.user_client_class);
    es_respond_auth_result(client, message, isBlocked ? ES_AUTH_RESULT_DENY : ES_AUTH_RESULT_ALLOW, false);
}
`,
  });
});
