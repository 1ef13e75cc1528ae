package io.evento.server.monitor;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the cluster does now.
 *
 * @param at when it was gathered, RFC 3339 in UTC, by the answering node's clock
 * @param windowSeconds over which the rates are
 * @param rates of all nodes that answered
 * @param commands from their arrival to their answer, over the same time
 * @param queries likewise
 * @param errors a second, by kind and code, such as {@code command rejected}
 * @param lag of the consumer furthest behind, as of some seconds ago; absent if there is none
 * @param nodes that answered
 * @param unreachable live nodes that did not answer in time: what they do is in no figure
 * @param seconds one by one, the latest first, if they were asked for
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ClusterView(
    String at,
    int windowSeconds,
    Rates rates,
    Latency commands,
    Latency queries,
    Map<String, Double> errors,
    @Nullable Lag lag,
    List<NodeRates> nodes,
    List<String> unreachable,
    @Nullable List<OneSecond> seconds) {

  /**
   * A second.
   *
   * @param commands that were answered
   * @param queries that were answered
   * @param events that were appended
   * @param handled events that consumers were done with
   * @param errors commands, queries and events of consumers that failed
   */
  public record Rates(
      double commands, double queries, double events, double handled, double errors) {}

  /**
   * In milliseconds; absent where nothing was measured.
   *
   * @param count how many were measured
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Latency(
      long count, @Nullable Double p50, @Nullable Double p99, @Nullable Double p999) {}

  /**
   * @param seconds age of the first event that is not done
   * @param events that were stored after what is done
   * @param consumer with its version, {@code accounts:1}
   */
  public record Lag(double seconds, long events, String consumer) {}

  /**
   * @param underWay commands without an answer yet
   * @param segments of consumers that it delivers
   * @param timerMillis since its timer made its last pass
   * @param beatMillis since its last heartbeat
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record NodeRates(
      String node,
      Rates rates,
      Latency commands,
      int underWay,
      int segments,
      NodeReport.@Nullable Pool pool,
      long timerMillis,
      long beatMillis,
      @Nullable String unfit) {}

  /**
   * @param ago seconds, about
   */
  public record OneSecond(int ago, Rates rates, Latency commands) {}
}
