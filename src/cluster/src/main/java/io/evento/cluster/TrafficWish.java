package io.evento.cluster;

import io.evento.launcher.Member;
import io.evento.launcher.StartFailure;
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
      throw new IllegalArgumentException(
          "cluster.traffic must be 0 to " + MAX + ", is " + perSecond);
    }
  }

  /** As {@code cluster.traffic} says. */
  static TrafficWish of(Properties options) {
    return new TrafficWish(Integer.parseInt(options.getProperty("cluster.traffic", DEFAULT)));
  }

  /**
   * @throws StartFailure if the bank refuses
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
      throw new StartFailure(
          request.uri() + " was answered " + answer.statusCode() + " " + answer.body());
    }
  }
}
