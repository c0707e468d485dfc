// By the types of openapi-typescript, with a reader and a writer of JSON that keep whole numbers beyond 2^53.
import createClient from "openapi-fetch";
import { isSafeNumber, parse, stringify } from "lossless-json";
import type { components, paths } from "./api";

type WithBigAmounts<T> = { [K in keyof T]: NonNullable<T[K]> extends number ? T[K] | bigint : T[K] };
type Payment = WithBigAmounts<components["schemas"]["PaymentEx"]>;
const [baseUrl, key, application] = process.argv.slice(2);
const read = (text: string) => parse(text, null, (digits) => (isSafeNumber(digits) ? Number(digits) : BigInt(digits)));
const client = createClient<paths>({
  baseUrl,
  headers: { "X-Ocs-Io-API-Key": key, "X-Ocs-Io-Application-Id": application },
  bodySerializer: (body) => stringify(body) ?? "",
});

const AMOUNT = 9_223_372_036_854_770_000n;

async function main(): Promise<void> {
  const answer = await client.POST("/v1/rm/payments/register-payment", {
    body: {
      requestId: "lossless-1",
      externalPaymentNo: "LOSSLESS-1",
      paymentAmount: AMOUNT as unknown as number,
      currency: "EUR",
      paymentMethod: "cash",
      paymentDateReceived: "2024-05-14T07:15:00.123456789Z",
    },
    parseAs: "text",
  });
  const steps = read(answer.data as unknown as string) as { object: Payment }[];
  if (steps[0].object.paymentAmount !== AMOUNT) throw new Error(`${steps[0].object.paymentAmount} came back`);
  const page = await client.GET("/v1/rm/payments", { params: { query: { externalPaymentNo: "LOSSLESS-1" } }, parseAs: "text" });
  const found = read(page.data as unknown as string) as { items: Payment[]; next: string | null };
  if (found.items[0].remainingAmount !== AMOUNT || found.next !== null) throw new Error("the search lost digits");
  console.log(`kept ${found.items[0].remainingAmount}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
