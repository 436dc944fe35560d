// Passkeys in the page: asks the server for a ceremony's options, the browser for the key, and sends what it gave.

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (!response.ok) {
    const problem = answer as { detail?: unknown };
    throw new Error(
      typeof problem.detail === "string" ? problem.detail : `The board answered ${response.status}.`,
    );
  }
  return answer;
}

async function ceremony(kind: string): Promise<void> {
  if (kind === "add") {
    const options = (await post("/me/passkeys/options", {})) as PublicKeyCredentialCreationOptionsJSON;
    const made = await navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    });
    await post("/me/passkeys", { response: JSON.stringify(made) });
    location.assign("/me");
    return;
  }
  const options = (await post("/login/passkey/options", {})) as PublicKeyCredentialRequestOptionsJSON;
  const given = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  });
  await post("/login/passkey", { response: JSON.stringify(given) });
  location.assign("/");
}

for (const box of document.querySelectorAll<HTMLElement>("[data-passkey]")) {
  const button = box.querySelector<HTMLButtonElement>("[data-passkey-go]");
  const line = box.querySelector<HTMLElement>("[data-passkey-text]");
  if (button === null || line === null) continue;
  if (!("PublicKeyCredential" in window) || !("parseRequestOptionsFromJSON" in PublicKeyCredential)) {
    line.textContent = "This browser has no passkeys for pages.";
    continue;
  }
  button.hidden = false;
  line.textContent = "";
  button.addEventListener("click", () => {
    button.disabled = true;
    line.textContent = "The browser asks for your key …";
    ceremony(box.dataset.passkey ?? "in")
      .catch((error: unknown) => {
        line.textContent =
          error instanceof DOMException && error.name === "NotAllowedError"
            ? "No key was given."
            : error instanceof Error
              ? error.message
              : String(error);
      })
      .finally(() => {
        button.disabled = false;
      });
  });
}
