package io.evento.cluster;

import io.evento.launcher.Member;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Properties;

/**
 * A little random traffic at the first bank, so that who opens the console sees something move; the
 * slider on the bank's page ends it.
 *
 * @param perSecond movements of money, 0 for none
 */
record TrafficWish(int perSecond) {
  private static final String DEFAULT = "5";
  private static final int MAX = 500;
  private static final Duration ANSWER_MAX = Duration.ofSeconds(15);

  TrafficWish {
    if (perSecond < 0 || perSecond > MAX) {
      throw wrong(Integer.toString(perSecond));
    }
  }

  private static IllegalArgumentException wrong(String given) {
    return new IllegalArgumentException("cluster.traffic must be 0 to " + MAX + ", is " + given);
  }

  /**
   * As {@code cluster.traffic} says.
   *
   * @throws IllegalArgumentException if it says something else than a number within the bounds
   */
  static TrafficWish of(Properties options) {
    var given = options.getProperty("cluster.traffic", DEFAULT).trim();
    try {
      return new TrafficWish(Integer.parseInt(given));
    } catch (NumberFormatException other) {
      throw wrong(given);
    }
  }

  /**
   * @throws IOException if the bank refuses or does not answer
   */
  void tell(List<Member> banks) throws IOException, InterruptedException {
    if (banks.isEmpty() || perSecond == 0) {
      return;
    }
    var request =
        HttpRequest.newBuilder(URI.create(banks.get(0).url()).resolve("/api/traffic"))
            .timeout(ANSWER_MAX)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString("{\"rate\":" + perSecond + "}"))
            .build();
    var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(
          request.uri() + " was answered " + answer.statusCode() + " " + answer.body());
    }
  }
}
