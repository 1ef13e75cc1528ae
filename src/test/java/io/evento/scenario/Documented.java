package io.evento.scenario;

import io.evento.testing.ApiDocument;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Holds whatever goes through a door of a scenario to the OpenAPI document: of each kind of
 * exchange the first ones and then one of fifty, so that load is not slowed down.
 */
final class Documented {
  private static final String API = "/evento/api/";
  private static final int FIRST = 20;
  private static final int ONE_OF = 50;

  private static final ApiDocument DOCUMENT = ApiDocument.openApi();
  private static final Map<String, AtomicInteger> SEEN = new ConcurrentHashMap<>();

  private Documented() {}

  /**
   * @throws AssertionError if the document says otherwise
   */
  static void check(HttpRequest request, String body, HttpResponse<String> answer) {
    var path = request.uri().getRawPath();
    var type = answer.headers().firstValue("Content-Type").orElse("");
    if (!path.startsWith(API) || isOfAnother(answer.statusCode(), type)) {
      return;
    }
    var kind = request.method() + path.split("/", 5)[3] + answer.statusCode();
    var seen = SEEN.computeIfAbsent(kind, first -> new AtomicInteger()).incrementAndGet();
    if (seen > FIRST && seen % ONE_OF != 0) {
      return;
    }
    DOCUMENT
        .exchange(
            request.method(),
            path.substring(API.length() - 1),
            body,
            answer.statusCode(),
            type,
            answer.body())
        .ifPresent(
            wrong -> {
              throw new AssertionError(
                  request.method() + " " + path + " is not as documented: " + wrong);
            });
  }

  /**
   * A balancer that finds no node answers by itself, and so does an application server that listens
   * before it has deployed us.
   */
  private static boolean isOfAnother(int status, String type) {
    return !type.contains("json") && (status == 404 || status >= 502);
  }
}
