// What a shop does by the client that openapi-generator makes for fetch: register, be refused, search page by page.
import { AccountsApi, Configuration, PaymentsApi, PaymentType, ResponseError } from "./generated";

const [basePath, key, application] = process.argv.slice(2);
const configuration = new Configuration({
  basePath,
  apiKey: (name: string) => (name === "X-Ocs-Io-API-Key" ? key : application),
});
const payments = new PaymentsApi(configuration);

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function main(): Promise<void> {
  const [opened] = await new AccountsApi(configuration).createAccount({
    createAccountRequest: { requestId: "ts-1", externalId: "T-1", accountType: "payer", currency: "EUR" },
  });
  check(opened.objectType === "AccountEx", "the first step is the account");
  if (opened.objectType !== "AccountEx") return;
  const account = { refId: opened.object.refId };
  const registered = new Set<string>();
  for (let number = 1; number <= 5; number++) {
    const steps = await payments.registerPayment({ registerPaymentRequest: request(`ts-payment-${number}`, account) });
    const [first] = steps;
    check(steps.length === 3 && first.objectType === "PaymentEx", "three steps, the payment first");
    if (first.objectType === "PaymentEx") {
      check(first.object.remainingAmount === 49_900_000, "nothing is assigned");
      registered.add(first.object.refId);
    }
  }
  try {
    await payments.registerPayment({ registerPaymentRequest: request("ts-refused", { externalId: "nobody" }) });
    check(false, "it was to be refused");
  } catch (refused) {
    if (!(refused instanceof ResponseError)) throw refused;
    const problem = await refused.response.json();
    check(refused.response.status === 400 && problem.errors[0].code === "ACCOUNT_NOT_FOUND", "refused by code");
  }
  const found = new Set<string>();
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await payments.searchPayments({ limit: 2, cursor, accountRefId: account.refId, paymentType: PaymentType.In });
    page.items.forEach((payment) => found.add(payment.refId));
    cursor = page.next ?? undefined;
    pages++;
  } while (cursor);
  check(pages === 3 && found.size === 5 && [...found].every((refId) => registered.has(refId)), "every payment on three pages");
  console.log(`5 payments, 1 refusal, ${pages} pages`);
}

function request(requestId: string, account: { refId?: string; externalId?: string }) {
  const paymentDateReceived = new Date(Date.now() - 86_400_000);
  return { requestId, account, paymentAmount: 49_900_000, currency: "EUR", paymentMethod: "bankTransfer", paymentDateReceived };
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
