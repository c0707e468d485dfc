import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Posts each of the bodies in turn with a client of default settings, and prints what is answered. */
public class Register {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int at = 3; at < arguments.length; at++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                    .header("Content-Type", "application/json")
                    .header("X-Ocs-Io-API-Key", arguments[1])
                    .header("X-Ocs-Io-Application-Id", arguments[2])
                    .POST(HttpRequest.BodyPublishers.ofString(arguments[at]))
                    .build();
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(response.statusCode() + " " + response.version());
        }
    }
}
