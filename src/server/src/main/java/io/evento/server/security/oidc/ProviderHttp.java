package io.evento.server.security.oidc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Asks the provider; an answer is JSON, has a bound in size, and comes whole in time or never. */
final class ProviderHttp {
  private static final Logger LOG = System.getLogger(ProviderHttp.class.getName());
  static final int BYTES_MAX = 256 << 10;

  /** Names that stand twice are an error: others might read the other one. */
  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);

  /** What was answered; {@code body} is an object. */
  record Answer(int status, JsonNode body) {}

  private final HttpClient client;
  private final Duration limit;

  /**
   * @param limit for one answer, from asking to its last byte
   */
  ProviderHttp(Executor executor, Duration limit) {
    this.limit = limit;
    client =
        HttpClient.newBuilder()
            .executor(executor)
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(limit)
            .build();
  }

  /**
   * @throws EventoException {@code unavailable}
   */
  JsonNode get(URI where) {
    var answer = send(request(where).GET().build());
    if (answer.status() != 200) {
      throw unavailable(where, "answered " + answer.status());
    }
    return answer.body();
  }

  /**
   * @param authorization null for none
   * @throws EventoException {@code unavailable}
   */
  Answer post(URI where, String form, @Nullable String authorization) {
    var request =
        request(where)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form));
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    return send(request.build());
  }

  private HttpRequest.Builder request(URI where) {
    return HttpRequest.newBuilder(where).timeout(limit).header("Accept", "application/json");
  }

  private Answer send(HttpRequest request) {
    // The request's own limit ends with the head of the answer: this one is for all of it.
    var answer = client.sendAsync(request, head -> new LimitedBody(BYTES_MAX));
    HttpResponse<byte[]> whole;
    try {
      whole = answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      answer.cancel(true);
      throw unavailable(request.uri(), "did not answer within " + limit);
    } catch (ExecutionException failure) {
      var cause = failure.getCause();
      throw unavailable(
          request.uri(), "failed: " + (cause == null ? failure : cause).getClass().getSimpleName());
    } catch (InterruptedException stopped) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw unavailable(request.uri(), "was not waited for, as this node stops");
    }
    try {
      return new Answer(whole.statusCode(), object(whole.body()));
    } catch (IOException malformed) {
      throw unavailable(request.uri(), "answered " + whole.statusCode() + " and no JSON");
    }
  }

  /** Bytes as a JSON object. */
  static JsonNode object(byte[] bytes) throws IOException {
    JsonNode read = JSON.readValue(new String(bytes, StandardCharsets.UTF_8));
    if (read == null || !read.isObject()) {
      throw new NoObjectException();
    }
    return read;
  }

  private static final class NoObjectException extends JsonProcessingException {
    private static final long serialVersionUID = 1;

    NoObjectException() {
      super("no object");
    }
  }

  /** The log says where, and its caller that there is something there. */
  private static EventoException unavailable(URI where, String what) {
    LOG.log(
        Level.WARNING,
        () -> "the OpenID provider fails url=" + where.getHost() + where.getPath() + " it " + what);
    return new EventoException(ErrorCode.UNAVAILABLE, "the provider " + what);
  }
}
