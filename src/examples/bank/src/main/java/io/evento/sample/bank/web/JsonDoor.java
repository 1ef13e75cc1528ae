package io.evento.sample.bank.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Rejection;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URLDecoder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Answers calls with JSON; a failure is told as the cluster would tell it, by code and sentence.
 */
final class JsonDoor implements HttpHandler {
  private static final Logger LOG = System.getLogger(JsonDoor.class.getName());
  private static final int BODY_MAX = 64 * 1024;
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);

  private final Map<String, Route> routes = new HashMap<>();

  /** What stands behind a path; its answer becomes JSON. */
  interface Route {
    Object answer(Call call) throws IOException;
  }

  JsonDoor get(String path, Route route) {
    routes.put("GET " + path, route);
    return this;
  }

  JsonDoor post(String path, Route route) {
    routes.put("POST " + path, route);
    return this;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      try {
        send(exchange, 200, "application/json", answer(exchange));
      } catch (EventoException told) {
        fail(exchange, told);
      } catch (IllegalArgumentException wrong) {
        fail(exchange, new EventoException(ErrorCode.INVALID_REQUEST, wrong.getMessage()));
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, () -> "request failed path=" + exchange.getRequestURI(), failure);
        fail(exchange, new EventoException(ErrorCode.INTERNAL, "the bank failed; see its log"));
      }
    }
  }

  private Object answer(HttpExchange exchange) throws IOException {
    var path = exchange.getRequestURI().getPath();
    var route = routes.get(exchange.getRequestMethod() + " " + path);
    if (route == null) {
      throw new EventoException(ErrorCode.NOT_FOUND, "there is no such call: " + path);
    }
    if (exchange.getRequestMethod().equals("POST")) {
      refuseForeignPages(exchange);
    }
    return route.answer(new Call(exchange));
  }

  /** Any site could make a visitor's browser post a form here. It could not make it post JSON. */
  private static void refuseForeignPages(HttpExchange exchange) {
    var type = exchange.getRequestHeaders().getFirst("Content-Type");
    var media = type == null ? "" : type.split(";", 2)[0].strip();
    if (!media.equalsIgnoreCase("application/json")) {
      throw new EventoException(
          ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json");
    }
  }

  /** As answers are written. */
  static String text(Object answer) throws JsonProcessingException {
    return JSON.writeValueAsString(answer);
  }

  private static void fail(HttpExchange exchange, EventoException told) throws IOException {
    var problem = new Problem(told.code().wire(), told.detail(), told.rejection());
    send(exchange, told.code().status(), "application/problem+json", problem);
  }

  private static void send(HttpExchange exchange, int status, String type, Object answer)
      throws IOException {
    var body = JSON.writeValueAsBytes(answer);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }

  private record Problem(String code, String detail, Rejection rejection) {}

  /** One request. */
  record Call(HttpExchange exchange) {

    /**
     * @throws IllegalArgumentException if it is not the JSON of such a record
     */
    <T> T body(Class<T> type) throws IOException {
      var bytes = exchange.getRequestBody().readNBytes(BODY_MAX + 1);
      if (bytes.length > BODY_MAX) {
        throw new EventoException(ErrorCode.PAYLOAD_TOO_LARGE, "the limit is 64 KiB");
      }
      try {
        var value = JSON.readValue(bytes, type);
        if (value == null) {
          throw new IllegalArgumentException("the body must be a JSON object");
        }
        return value;
      } catch (JsonMappingException unfit) {
        throw new IllegalArgumentException(sentence(unfit), unfit);
      } catch (JsonProcessingException malformed) {
        throw new IllegalArgumentException("the body must be well-formed JSON", malformed);
      }
    }

    /** What the record's constructor says, if it came to that; never Jackson's talk of classes. */
    private static String sentence(JsonMappingException unfit) {
      if (unfit.getCause() instanceof IllegalArgumentException rule) {
        return rule.getMessage();
      }
      var path = unfit.getPath();
      return (path.isEmpty() ? "the body" : path.get(0).getFieldName())
          + " is missing or has the wrong type";
    }

    /** The caller's own id for what it asks. */
    Optional<UUID> id() {
      var header = exchange.getRequestHeaders().getFirst("Idempotency-Key");
      try {
        return Optional.ofNullable(header).map(UUID::fromString);
      } catch (IllegalArgumentException broken) {
        throw new IllegalArgumentException("Idempotency-Key must be a UUID", broken);
      }
    }

    int number(String name, int absent) {
      try {
        return Integer.parseInt(parameter(name, Integer.toString(absent)));
      } catch (NumberFormatException broken) {
        throw new IllegalArgumentException(name + " must be a whole number", broken);
      }
    }

    String parameter(String name, String absent) {
      var query = exchange.getRequestURI().getRawQuery();
      for (var pair : query == null ? new String[0] : query.split("&")) {
        if (pair.startsWith(name + "=")) {
          return URLDecoder.decode(pair.substring(name.length() + 1), UTF_8);
        }
      }
      return absent;
    }
  }
}
