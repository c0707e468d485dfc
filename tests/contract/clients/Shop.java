import java.time.OffsetDateTime;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.JSON;
import org.openapitools.client.api.AccountsApi;
import org.openapitools.client.api.PayerApi;
import org.openapitools.client.api.PaymentsApi;
import org.openapitools.client.auth.ApiKeyAuth;
import org.openapitools.client.model.*;

/** What a shop does by the client that openapi-generator makes: register, be refused, search page by page. */
class Shop {
  public static void main(String[] arguments) throws Exception {
    ApiClient client = new ApiClient().setBasePath(arguments[0]);
    ((ApiKeyAuth) client.getAuthentication("apiKey")).setApiKey(arguments[1]);
    ((ApiKeyAuth) client.getAuthentication("applicationId")).setApiKey(arguments[2]);
    PaymentsApi payments = new PaymentsApi(client);

    CreateAccountRequest opened = new CreateAccountRequest().requestId("java-1").externalId("J-1").accountType("payer").currency("EUR");
    AccountEx account = ((AccountExStep) new AccountsApi(client).createAccount(opened).get(0).getActualInstance()).getObject();
    AccountName named = new AccountName().refId(account.getRefId());

    Set<UUID> registered = new TreeSet<>();
    for (int number = 1; number <= 5; number++) {
      RegisterPaymentRequest request = register("java-payment-" + number, named);
      List<RegisterPaymentStep> steps = payments.registerPayment(request);
      check(steps.size() == 3, "three steps");
      PaymentEx payment = ((PaymentExStep) steps.get(0).getActualInstance()).getObject();
      check(payment.getPaymentAmount() == 9_007_199_254_750_000L, "amounts beyond 2^53");
      check(payment.getRemainingAmount().equals(payment.getPaymentAmount()), "nothing is assigned");
      check(payment.getCancelReason() == null, "null is null");
      check(payments.registerPayment(request).equals(steps), "a repetition has the same answer");
      registered.add(payment.getRefId());
    }

    try {
      payments.registerPayment(register("java-refused", new AccountName().externalId("nobody")).paymentMethod("shells"));
      check(false, "it was to be refused");
    } catch (ApiException refused) {
      check(refused.getCode() == 400, "400");
      Problem problem = Problem.fromJson(refused.getResponseBody());
      check(problem.getErrors().size() == 2, "both failures are told");
      check(problem.getErrors().get(0).getCode().toString().equals("ACCOUNT_NOT_FOUND"), "by code");
    }

    Set<UUID> found = new TreeSet<>();
    UUID cursor = null;
    int pages = 0;
    do {
      PaymentExPage page = payments.searchPayments(2L, cursor, account.getRefId(), null, "2024-01-01", null, null, null, null, null, null, PaymentType.IN, true, null, null);
      page.getItems().forEach(payment -> found.add(payment.getRefId()));
      cursor = page.getNext();
      pages++;
    } while (cursor != null);
    check(pages == 3 && found.equals(registered), "every payment on three pages");

    CollectionBalanceView balance = new PayerApi(client).readCollectionBalance(account.getRefId(), null, true, true, null, null, null, null);
    check(balance.getCollectionBalance() < 0 && balance.getLines().size() == 5, "a balance explained");

    String tomorrow = JSON.getGson().newBuilder().serializeNulls().create().toJson(balance).replaceFirst("\\{", "{\"addedTomorrow\":[1],");
    check(CollectionBalanceView.fromJson(tomorrow).getCollectionBalance().equals(balance.getCollectionBalance()), "a property more");
    System.out.println("5 payments, 1 refusal, " + pages + " pages");
  }

  static RegisterPaymentRequest register(String requestId, AccountName account) {
    return new RegisterPaymentRequest().requestId(requestId).account(account).paymentAmount(9_007_199_254_750_000L).currency("EUR")
        .paymentMethod("bankTransfer").paymentDateReceived(OffsetDateTime.now().minusDays(1));
  }

  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }
}
